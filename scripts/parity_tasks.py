# SPDX-License-Identifier: MIT
"""What `make parity` trains on, each with a part to learn from, a part to choose by and a part to be judged by, and one run of
training. Needs PyTorch; task digits scikit-learn, task text the command `bible` of Debian's bible-kjv."""
import math
import re
import shutil
import subprocess
import time

import torch
from torch import nn
from torch.nn import functional

from parity_models import NORMS, Model

PARTS = ("train", "val", "test")


class Digits:
    """1797 images of 8 x 8 handwritten digits, which scikit-learn carries, as 16 patches: 60 % to learn from, 20 % each to choose and
    judge by, the same parts for every seed."""
    steps, batch, every = 600, 64, 20
    cols, heads, depth, tokens, classes = 32, 4, 3, 16, 10
    target = 0.25  # a little above what LayerNorm ends with by rate 0.003 and seed 0, which is no seed of the grid

    def __init__(self):
        from sklearn.datasets import load_digits  # only who runs this task needs it
        images, labels = load_digits(return_X_y=True)
        order = torch.randperm(len(labels), generator=torch.Generator().manual_seed(1))
        patches = torch.tensor(images, dtype=torch.float32).view(-1, 4, 2, 4, 2).transpose(2, 3).reshape(-1, 16, 4) / 8 - 1
        ends = [0, len(order) * 6 // 10, len(order) * 8 // 10, len(order)]
        chosen = [order[a:b] for a, b in zip(ends, ends[1:])]
        labels = torch.tensor(labels)
        self.parts = {name: (patches[rows], labels[rows]) for name, rows in zip(PARTS, chosen)}

    def model(self, norm):
        return Model(nn.Linear(4, self.cols), (self.cols, self.heads, self.depth, self.tokens, self.classes), True, norm)

    def sample(self, draw):
        x, y = self.parts["train"]
        rows = torch.randint(len(y), (self.batch,), generator=draw)
        return x[rows], y[rows]

    def whole(self, part):
        return [self.parts[part]]


class Text:
    """The King James Bible, character by character, without chapters' and verses' numbers: of its first 1.2 million characters the
    first 80 % to learn from, the next 10 % to choose, the last to judge by."""
    steps, batch, every = 400, 16, 20
    cols, heads, depth, tokens = 48, 4, 2, 64
    characters, shown = 1_200_000, 48  # sequences of a part that are judged
    target = 2.25  # as that of Digits

    def __init__(self):
        text = text_of_bible()[: self.characters]
        letters = sorted(set(text))
        place = {letter: i for i, letter in enumerate(letters)}
        codes = torch.tensor([place[letter] for letter in text])
        self.classes = len(letters)
        ends = [0, len(codes) * 8 // 10, len(codes) * 9 // 10, len(codes)]
        self.parts = {name: codes[a:b] for name, a, b in zip(PARTS, ends, ends[1:])}

    def model(self, norm):
        return Model(nn.Embedding(self.classes, self.cols), (self.cols, self.heads, self.depth, self.tokens, self.classes), False, norm)

    def at(self, codes, starts):
        rows = starts[:, None] + torch.arange(self.tokens + 1)
        return codes[rows][:, :-1], codes[rows][:, 1:]

    def sample(self, draw):
        codes = self.parts["train"]
        return self.at(codes, torch.randint(len(codes) - self.tokens - 1, (self.batch,), generator=draw))

    def whole(self, part):
        codes = self.parts[part]
        starts = torch.linspace(0, len(codes) - self.tokens - 2, self.shown).long()
        return [self.at(codes, starts)]


TASKS = {"digits": Digits, "text": Text}


def text_of_bible():
    """Verses, a line each; the first is there twice, for the program shows it when it begins."""
    said = subprocess.run(["bible", "-f"], input="ge1:1-rev22:21\nq\n", capture_output=True, text=True, check=True).stdout
    return "\n".join(re.findall(r"^\w+:\d+ (.*)$", said, re.M)[1:])


def judged(model, batches):
    """(mean loss, share of right answers) over all answers."""
    model.eval()
    loss, right, count = 0.0, 0, 0
    with torch.no_grad():
        for x, y in batches:
            out = model(x).flatten(0, -2)
            loss += functional.cross_entropy(out, y.flatten(), reduction="sum").item()
            right += (out.argmax(1) == y.flatten()).sum().item()
            count += y.numel()
    model.train()
    return loss / count, right / count


def train(task, arm, rate, seed, steps):
    """One model from its first weights to the last step: what parity.py writes of it. Losses that are no numbers count as infinite, and
    end it."""
    torch.manual_seed(seed)
    model = task.model(lambda cols: NORMS[arm.norm](cols, arm.alpha0))
    draw = torch.Generator().manual_seed(seed)
    optimizer = torch.optim.AdamW(model.parameters(), lr=rate, betas=(0.9, 0.95), weight_decay=0.05)
    warm = max(1, steps // 20)
    schedule = torch.optim.lr_scheduler.LambdaLR(
        optimizer, lambda n: (n + 1) / warm if n < warm else 0.5 + 0.5 * math.cos(math.pi * (n - warm) / (steps - warm)))
    seconds, reached, validation = 0.0, None, (math.inf, 0.0)
    for step in range(1, steps + 1):
        begin = time.process_time()
        x, y = task.sample(draw)
        loss = functional.cross_entropy(model(x).flatten(0, -2), y.flatten())
        optimizer.zero_grad()
        loss.backward()
        nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        optimizer.step()
        schedule.step()
        seconds += time.process_time() - begin
        if not math.isfinite(loss.item()):
            return {"seconds": seconds, "diverged": 1, "val_loss": math.inf, "test_loss": math.inf, "test_accuracy": 0.0}
        if step % task.every == 0 or step == steps:
            validation = judged(model, task.whole("val"))
            if reached is None and validation[0] <= task.target:
                reached = (step, seconds)
    loss, accuracy = judged(model, task.whole("test"))
    found = {"seconds": seconds, "diverged": 0, "val_loss": validation[0], "test_loss": loss, "test_accuracy": accuracy}
    if reached is not None:
        found["target_steps"], found["target_seconds"] = reached
    return found


def missing(task):
    """What a task needs and this machine lacks, with the command that mends it; None: nothing."""
    if task == "digits":
        try:
            import sklearn.datasets  # noqa: F401
        except ImportError:
            return "scikit-learn: build/torch/bin/pip install scikit-learn"
    elif shutil.which("bible") is None:
        return "the command bible: apt-get install bible-kjv"
    return None
