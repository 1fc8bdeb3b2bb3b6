# SPDX-License-Identifier: MIT
"""What cores that are not at hand would take: llvm-mca's prediction for the inner loops of the forward kernels.

    python3 scripts/mca.py [--objects DIR] [--cores LIST] [--measured RUN] [--out DIR]

Reads the kernels' objects of a build (build/gcc, or that of make check-cross, build/aarch64-linux-gnu-gcc), takes the innermost loops of each
default kernel in forms fused and add_fused, and hands them to llvm-mca (LLVMMCA names another) for each core that it knows. Writes mca.csv, a
row per kernel and core, and draws mca.svg; --measured sets what a run on one of them took beside it, at its fastest shape. Everything else in
them is PREDICTED: data in the nearest cache, no branch taken wrongly, by the scheduling model that this LLVM has, which may be another core's
(column model). `normbench predict` is something else: the law of layers.
"""
import argparse
import csv
import os
import re
import subprocess
import sys
from collections import namedtuple

ELEMENTWISE = {"dyt", "derf", "hardtanh", "sigmoid", "isru", "identity"}
VARIANTS = {"layernorm": ["onepass"], "rmsnorm": ["std"], "dyt": ["u2", "lp"], "derf": ["u2"], "hardtanh": ["std"], "sigmoid": ["u3"],
            "isru": ["std"], "identity": ["std"]}
SIZES = {"f32": 4, "bf16": 2, "f16": 2}
# Which cores can run a level, of those that compilers know by these names.
X86 = ["haswell", "skylake", "znver1", "znver2", "znver3", "znver4", "znver5"]
X86_512 = ["skylake-avx512", "icelake-server", "sapphirerapids", "znver4", "znver5"]
ARM = ["cortex-a57", "cortex-a72", "neoverse-n1", "neoverse-n2", "neoverse-v1", "neoverse-v2", "apple-m1", "a64fx", "thunderx2t99"]
CORES = {"sse2": X86, "avx2": X86 + ["icelake-server", "sapphirerapids", "alderlake"], "avx512": X86_512,
         "avx512bf16": ["sapphirerapids", "znver4", "znver5"], "neon": ARM, "neon_bf16": ["neoverse-n2", "neoverse-v1", "neoverse-v2"],
         "sve128": ["neoverse-n2", "neoverse-v2"], "sve256": ["neoverse-v1"], "sve512": ["a64fx"]}
COLUMNS = ["predicted_by", "op", "variant", "form", "pass", "level", "dtype", "core", "cycles_per_element", "port_cycles_per_element",
           "over_port", "port", "model", "loops", "measured_cycles_per_element", "status"]

ROUNDS = 200

Loop = namedtuple("Loop", "instructions elements stores sums")
Kernel = namedtuple("Kernel", "op variant form level dtype")


def refuse(message):
    print(f"mca: {message}", file=sys.stderr)
    sys.exit(2)


def functions(path, objdump):
    """{name: [(address, mnemonic, operands), ...]} of an object."""
    listing = subprocess.run([objdump, "-d", "--no-show-raw-insn", path], check=True, capture_output=True, text=True).stdout
    found, current = {}, None
    for line in listing.splitlines():
        head = re.match(r"[0-9a-f]+ <(.+)>:$", line)
        if head:
            current = found.setdefault(head[1], [])
            continue
        code = re.match(r"\s*([0-9a-f]+):\s+(\S+)\s*(.*)", line)
        if code and current is not None:
            operands = re.sub(r"\s*(# [0-9a-f]+ <|//).*", "", code[3]).strip()
            current.append((int(code[1], 16), code[2], operands))
    return found


def branch_target(mnemonic, operands):
    if not re.match(r"(j[a-z]+|b\.?[a-z]*|cbn?z|tbn?z)$", mnemonic) or mnemonic in ("bl", "blr", "br", "bic", "bfi", "bfxil", "bif", "bit", "bsl"):
        return None
    target = re.search(r"(?:^|[\s,])([0-9a-f]+) <", operands)
    return int(target[1], 16) if target else None


def innermost(code):
    """The loops of a function that hold no other: what stands between a branch backwards and where it goes."""
    at = {address: i for i, (address, _, _) in enumerate(code)}
    spans = sorted({(at[target], i) for i, (address, mnemonic, operands) in enumerate(code)
                    if (target := branch_target(mnemonic, operands)) is not None and target <= address and target in at})
    return [code[a:b + 1] for a, b in spans if not any((a, b) != (c, d) and a <= c and d <= b for c, d in spans)]


def register_bytes(text, vector):
    sizes = [64 if name[0] == "z" else 32 if name[0] == "y" else 16 for name in re.findall(r"%([xyz])mm\d+", text)]
    if not sizes and re.search(r"\b[qz]\d+|\bv\d+\.", text):
        return vector
    return max(sizes, default=0)


def moved(mnemonic, operands, vector, framed):
    """(bytes that a vector instruction loads, bytes that it stores); those of the stack, of one number, and of tables are none. framed:
    rbp points into the stack, where it else is a register like others."""
    memory = re.search(r"-?(?:0x[0-9a-f]+)?\([^)]*\)|\[[^\]]*\]", operands)
    if not memory or re.search(rf"%[re]?(sp|{'bp|' * framed}ip)\b|\[sp|\{{1to", operands) or re.search(r"broadcast|ss$|sd$|ld1r|prf|prefetch|lea", mnemonic):
        return 0, 0
    size = register_bytes(operands, vector)
    if re.match(r"st|ld", mnemonic) and re.search(r"\b[dsh]\d+\b", operands):
        size = 8 if re.search(r"\bd\d+", operands) else 0
    if re.match(r"st\d?p|ldp", mnemonic):
        size *= 2
    if re.match(r"(st|ld)1(u?h|sh)", mnemonic) or re.match(r"vcvtph2ps|vcvtps2ph|vpmovzxwd|vpmovdw|vcvtneps2bf16", mnemonic):
        size //= 2
    if not re.match(r"v|mov|st|ld|p", mnemonic):
        return 0, 0
    stores = mnemonic.startswith("st") or (mnemonic[0] in "vmp" and operands.rstrip().endswith(")"))
    return (0, size) if stores else (size, 0)


def loops_of(code, element, vector):
    found, framed = [], any(m.startswith("mov") and o == "%rsp,%rbp" for _, m, o in code)
    for instructions in innermost(code):
        if any(m in ("call", "bl", "blr") for _, m, _ in instructions) or len(instructions) > 1500:
            continue
        traffic = {o: moved(m, o, vector, framed) for _, m, o in instructions}  # what is read twice is counted once
        stores = sum(moved(m, o, vector, framed)[1] for _, m, o in instructions) // element
        loads = sum(load for load, _ in traffic.values()) // element
        if stores or loads:
            found.append(Loop(instructions, stores or loads, stores > 0, accumulates(instructions)))
    return found


def accumulates(instructions):
    """Whether a vector register is added to in every round and never set anew: a sum."""
    adding, others = set(), set()
    for _, mnemonic, operands in instructions:
        names = re.findall(r"%[xyz]mm(\d+)|\b[qvz](\d+)\b", operands)
        names = [a or b for a, b in names]
        if not names or mnemonic.startswith("st"):
            continue
        arm = "%" not in operands
        into, sources = (names[0], names[1:]) if arm else (names[-1], names[:-1])
        if not arm and operands.endswith(")"):
            continue
        own = re.match(r"fmla|vfmadd231ps", mnemonic) or (re.match(r"fadd|vaddps|addps", mnemonic) and (into in sources or mnemonic == "addps"))
        (adding if own else others).add(into)
    return bool(adding - others)


def widest(loops):
    return max(loops, key=lambda l: l.elements, default=None)


def hot(kernel, loops):
    """The loop that writes and, of a norm, the one that sums before it: of each kind the one that takes most elements at a time."""
    adds = kernel.form == "add_fused"
    write = widest(l for l in loops if l.stores and not l.sums)
    if kernel.op in ELEMENTWISE:
        return write and [write._replace(elements=write.elements // (2 if adds else 1))]
    # In add_fused the first sweep writes the sum; elsewhere what sums and writes is a row that overlaps another.
    first = widest(l for l in loops if l.sums and l.stores == adds)
    return write and first and [first, write]


def region(name, loop):
    """A loop as llvm-mca reads it: its branches go to its own head."""
    lines = [f"# LLVM-MCA-BEGIN {name}", f".L{name}:"]
    for _, mnemonic, operands in loop.instructions:
        operands = re.sub(r"\b[0-9a-f]+ <[^>]*>", f".L{name}", operands)
        lines.append(f"\t{mnemonic} {operands}")
    return "\n".join(lines + ["# LLVM-MCA-END", ""])


def ask(mca, triple, core, text, features):
    command = [mca, f"-mtriple={triple}", f"-mcpu={core}", f"-iterations={ROUNDS}"] + ([f"-mattr={features}"] if features else [])
    run = subprocess.run(command, input=text, capture_output=True, text=True)
    if run.returncode != 0:
        return None
    answers = {}
    for part in re.split(r"(?m)^\[\d+\] Code Region - ", run.stdout)[1:]:
        name = part.split("\n", 1)[0].strip()
        total = int(re.search(r"Total Cycles:\s+(\d+)", part)[1])
        names = dict(re.findall(r"(?m)^\[([\d.]+)\]\s+- (\S+)", part))
        pressure = re.search(r"Resource pressure per iteration:\n(.*)\n(.*)\n", part)
        heads, values = re.findall(r"\[([\d.]+)\]", pressure[1]), pressure[2].split()
        worst, port = max((0.0 if v == "-" else float(v), names.get(h, h)) for h, v in zip(heads, values))
        throughput = float(re.search(r"Block RThroughput:\s+([\d.]+)", part)[1])
        model = os.path.commonprefix(list(names.values())[:-1]) or "?"
        answers[name] = (total / ROUNDS, max(worst, throughput), port if worst >= throughput else "dispatch", model)
    return answers


def known_cores(mca, triple):
    listing = subprocess.run([mca, f"-mtriple={triple}", "-mcpu=help", os.devnull], capture_output=True, text=True)
    return set(re.findall(r"(?m)^\s+(\S+)\s+- Select the", listing.stdout + listing.stderr))


def kernels_in(objects, objdump):
    """(kernel, its hot loops or None) of every object of a level that cores are known for."""
    for op, variants in VARIANTS.items():
        for level in CORES:
            path = os.path.join(objects, "kernels", "ops", f"{op}.{level}.o")
            if not os.path.exists(path):
                continue
            code = functions(path, objdump)
            vector = {"neon": 16, "neon_bf16": 16}.get(level, int(level[3:]) // 8 if level.startswith("sve") else 0)
            for variant in variants:
                for dtype, size in SIZES.items():
                    for form, infix in (("fused", ""), ("add_fused", "_add")):
                        name = f"forward_{variant}{infix}_{dtype}"
                        parts = [code[n] for n in code if n == name or n.startswith(name + ".part.")]  # as gcc may divide it
                        if parts:
                            kernel = Kernel(op, variant, form, level, dtype)
                            yield kernel, hot(kernel, [loop for part in parts for loop in loops_of(part, size, vector)])


def predictions(args, triple, arm):
    mca = os.environ.get("LLVMMCA", "llvm-mca")
    version = re.search(r"LLVM version \S+", subprocess.run([mca, "--version"], check=True, capture_output=True, text=True).stdout)[0]
    cores = known_cores(mca, triple)
    wanted = args.cores.split(",") if args.cores else None
    if wanted and not set(wanted) <= cores:
        refuse(f"{mca} knows no core {sorted(set(wanted) - cores)[0]}; `{mca} -mtriple={triple} -mcpu=help` lists those it does")
    objdump = os.environ.get("OBJDUMP", "aarch64-linux-gnu-objdump" if arm else "objdump")
    kernels = list(kernels_in(args.objects, objdump))
    if not kernels:
        refuse(f"no kernels in {args.objects}; build first, with make lib or make check-cross ARCH=aarch64")
    jobs = [(level, core) for level in CORES for core in CORES[level]
            if core in cores and (not wanted or core in wanted) and any(k.level == level for k, _ in kernels)]

    def one(job):
        level, core = job
        own = [(k, loops) for k, loops in kernels if k.level == level]
        text = "".join(region(f"k{i}_{j}", loop) for i, (_, loops) in enumerate(own) for j, loop in enumerate(loops or []))
        answers = ask(mca, triple, core, text, "+sve,+bf16" if arm else "") if text else {}
        return [row(version, kernel, core, loops, None if answers is None else [answers.get(f"k{i}_{j}") for j in range(len(loops or []))])
                for i, (kernel, loops) in enumerate(own)]

    return [r for job in jobs for r in one(job)]


def row(version, kernel, core, loops, answers):
    known = {"predicted_by": version, "op": kernel.op, "variant": kernel.variant, "form": kernel.form, "pass": "forward",
             "level": kernel.level, "dtype": kernel.dtype, "core": core}
    if not loops or not answers or None in answers:  # LLVM 14 ends where a core's model lacks an instruction
        return known | {"status": "no loop" if not loops else "not known to this LLVM"}
    cycles = sum(a[0] / l.elements for a, l in zip(answers, loops))
    bound = sum(a[1] / l.elements for a, l in zip(answers, loops))
    return known | {"cycles_per_element": f"{cycles:.4g}", "port_cycles_per_element": f"{bound:.4g}", "over_port": f"{cycles / bound:.3g}",
                    "port": " ".join(a[2] for a in answers), "model": answers[0][3], "loops": len(loops), "status": "predicted"}


def measured_in(folder):
    """{kernel: cycles per element} of a run: one thread, forward, the fastest shape."""
    found = {}
    with open(os.path.join(folder, "kernels.csv"), newline="", encoding="utf-8") as file:
        for r in csv.DictReader(file):
            if r["threads"] == "1" and r["pass"] == "forward" and r["cache"] == "warm" and r["cycles_per_element"]:
                kernel = Kernel(r["op"], r["variant"], r["form"], r["level"], r["dtype"])
                found[kernel] = min(float(r["cycles_per_element"]), found.get(kernel, float("inf")))
    return found


def draw(rows, folder):
    """Bars of each op by core, a panel for each dtype: the strongest level of each core, form fused; dots: measured, beside one core."""
    levels, best = list(CORES), {}
    for r in rows:
        if r["status"] == "predicted" and r["form"] == "fused" and r["variant"] == VARIANTS[r["op"]][0]:
            key = r["dtype"], r["op"], r["core"]
            if key not in best or levels.index(r["level"]) > levels.index(best[key]["level"]):
                best[key] = r
    dtypes = [d for d in SIZES if any(k[0] == d for k in best)]
    ops = [o for o in VARIANTS if any(k[1] == o for k in best)]
    cores = list(dict.fromkeys(k[2] for k in best))
    if not best:
        return
    script = [f"set terminal svg size {max(900, 260 + 110 * len(cores))}, {60 + 260 * len(dtypes)} noenhanced background 'white'",
              f"set output '{folder}/mca.svg'", "set style data histograms", "set style histogram clustered gap 2",
              "set style fill solid 1.0 noborder", "set key outside",
              "set grid ytics", "set ylabel 'cycles per element, PREDICTED'", "set xtics rotate by -20", "set yrange [0:*]",
              f"set multiplot layout {len(dtypes)}, 1 title 'PREDICTED, not measured: {rows[0]['predicted_by']}, best level, fused forward, data in L1'"]
    for d in dtypes:
        script.append(f"$d{d} << E")
        script += [" ".join([f'"{c} ({next(best[k]["level"] for k in best if k[0] == d and k[2] == c)})"'] +
                            [best[d, o, c]["cycles_per_element"] if (d, o, c) in best else "NaN" for o in ops])
                   for c in cores if any(k[0] == d and k[2] == c for k in best)]
        bars = [f"$d{d} using {i + 2}:xtic(1) title '{o}'" for i, o in enumerate(ops)]
        # Beside the core that it was measured on, which is the one that was asked for.
        dots = [f"{(i - (len(ops) - 1) / 2) / (len(ops) + 2)} {best[d, o, cores[0]]['measured_cycles_per_element']}" for i, o in enumerate(ops)
                if len(cores) == 1 and (d, o, cores[0]) in best and best[d, o, cores[0]]["measured_cycles_per_element"]]
        script += ["E", f"$m{d} << E"] + dots + ["E", f"set title '{d}'"]
        if dots:
            bars.append(f"$m{d} using 1:2 with points pointtype 7 linecolor 'black' title 'measured by RUN'")
        script.append("plot " + ", ".join(bars))
    subprocess.run(["gnuplot"], input="\n".join(script + ["unset multiplot", ""]), check=True, text=True)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--objects", default="build/gcc", help="the folder of a build; build/gcc unless given")
    parser.add_argument("--cores", help="a comma list of cores, as llvm-mca spells them; all that it knows unless given")
    parser.add_argument("--measured", help="the folder of a run on one of these cores, whose cycles are set beside")
    parser.add_argument("--out", default="build/mca", help="where to write mca.csv and mca.svg; build/mca unless given")
    args = parser.parse_args()
    arm = any(os.path.exists(os.path.join(args.objects, "kernels", "ops", f"rmsnorm.{level}.o")) for level in ("neon", "sve128"))
    try:
        rows = predictions(args, "aarch64-linux-gnu" if arm else "x86_64-linux-gnu", arm)
    except FileNotFoundError as error:
        refuse(f"{error.filename} is not there; apt-get install llvm binutils gnuplot-nox, or name it by LLVMMCA or OBJDUMP")
    own = measured_in(args.measured) if args.measured else {}
    for r in rows:
        cycles = own.get(Kernel(*(r[name] for name in Kernel._fields)))
        r["measured_cycles_per_element"] = f"{cycles:.4g}" if cycles else ""
    os.makedirs(args.out, exist_ok=True)
    path = os.path.join(args.out, "mca.csv")
    with open(path + ".part", "w", newline="", encoding="utf-8") as file:
        writer = csv.DictWriter(file, COLUMNS, lineterminator="\r\n")
        writer.writeheader()
        writer.writerows(rows)
    os.replace(path + ".part", path)
    draw(rows, args.out)
    print(f"mca: {path} has {len(rows)} predictions, of {sum(r['status'] == 'predicted' for r in rows)} kernels on cores; nothing of it was measured")


if __name__ == "__main__":
    sys.exit(main())
