// SPDX-License-Identifier: MIT
// What a reader does with the page of `normbench report`, done by tests/test_report_browser.sh in a copy of it: points at marks, follows them,
// sorts, filters, uses the keyboard. Writes what did not hold into the page, or that all did.
"use strict";
(() => {
    const wrong = window.pageErrors || ["errors were not listened for"];
    const expect = (holds, text) => {
        if (!holds) wrong.push(text);
    };
    const card = document.getElementById("card");
    const send = (element, name, options) => element.dispatchEvent(new MouseEvent(name, { bubbles: true, cancelable: true, ...options }));

    // ---- Figures are drawn, within their strips, and say what they show.
    const figures = [...document.querySelectorAll("figure")];
    expect(figures.length > 0, "there is no figure");
    for (const figure of figures) {
        const marks = [...figure.querySelectorAll(".mark")];
        expect(figure.querySelector("h3").textContent !== "" && figure.querySelector("p").textContent !== "", `${figure.id} has no words`);
        expect(marks.length > 0, `${figure.id} has no mark`);
        for (const mark of marks) {
            const box = (mark.querySelector("circle") || mark).getBoundingClientRect(), around = figure.getBoundingClientRect();
            expect(box.width > 0 && box.height > 0, `${figure.id}: a mark has no size`);
            expect(mark.closest(".map") || (box.left >= around.left - 8 && box.right <= around.right + 8), `${figure.id}: a mark lies outside`);
            expect(mark.closest(".map") || /\[.*\]/.test(mark.getAttribute("aria-label")), `${figure.id}: a mark has no label with an interval`);
        }
    }
    expect(document.documentElement.scrollWidth <= innerWidth + 1, `the page is ${document.documentElement.scrollWidth} wide in ${innerWidth}`);
    expect(getComputedStyle(document.querySelector("header")).position === "sticky", "the head does not stay in sight");

    // ---- A mark shows its row, and leads there.
    for (const mark of [document.querySelector("svg a.mark"), document.querySelector(".map a.mark")].filter(Boolean)) {
        const row = document.getElementById(mark.getAttribute("href").slice(1));
        mark.scrollIntoView({ block: "center" });
        send(mark, "mouseover");
        expect(!card.hidden, "pointing at a mark shows nothing");
        expect([...card.querySelectorAll("dd")].every((value) => value.textContent.trim() !== ""), "the card shows what is missing");
        for (const cell of row.cells) expect(card.textContent.includes(cell.textContent), `the card lacks ${cell.textContent}`);
        const box = card.getBoundingClientRect();
        expect(box.left >= 0 && box.right <= innerWidth + 1 && box.top >= 0 && box.bottom <= innerHeight + 1, "the card lies outside of the window");
        send(mark, "mouseout");
        expect(card.hidden, "the card stays");
        mark.focus();
        // A window without a screen may not have the focus, and then tells no element of it.
        if (card.hidden) mark.dispatchEvent(new FocusEvent("focusin", { bubbles: true }));
        expect(!card.hidden && document.activeElement === mark, "a mark cannot be reached by the keyboard");
        document.dispatchEvent(new KeyboardEvent("keydown", { key: "Escape", bubbles: true }));
        expect(card.hidden, "Escape does not hide the card");
        location.hash = mark.getAttribute("href");
        dispatchEvent(new HashChangeEvent("hashchange"));
        expect(row.closest("details").open && row.classList.contains("found"), "a mark does not lead to its row");
    }

    // ---- Tables are sorted and filtered, by a mouse and by the keys that press a button.
    for (const table of document.querySelectorAll("table.rows")) {
        const all = table.closest("details"), body = table.tBodies[0], count = body.rows.length, names = [...table.tHead.rows[0].cells];
        all.open = true;
        names.forEach((cell, column) => {
            for (const down of [false, true]) {
                cell.querySelector("button").click();
                const values = [...body.rows].map((row) => row.cells[column].textContent), known = values.filter((value) => value !== "");
                const numbers = known.every((value) => !Number.isNaN(Number(value)));
                const ordered = known.every((value, i) => i === 0 || (down ? -1 : 1) * (numbers ? known[i - 1] - value : known[i - 1] <= value ? -1 : 1) <= 0 || known[i - 1] === value);
                expect(!numbers || ordered, `${all.id}: column ${cell.textContent} is not sorted`);
                expect(values.slice(known.length).every((value) => value === ""), `${all.id}: missing values of ${cell.textContent} are not last`);
                expect(cell.getAttribute("aria-sort") === (down ? "descending" : "ascending"), `${all.id}: the order is not told`);
            }
        });
        expect(body.rows.length === count, `${all.id}: sorting loses rows`);
    }
    const table = document.querySelector("table.rows"), input = document.querySelector(".tools input"), output = document.querySelector(".tools output");
    const filtered = (words, then) => {
        input.value = words;
        input.dispatchEvent(new Event("input"));
        return new Promise((resolve) => setTimeout(resolve, 300)).then(() => then([...table.tBodies[0].rows].filter((row) => !row.hidden)));
    };
    const at = [...table.tHead.rows[0].cells].findIndex((cell) => cell.textContent === "op");
    const all = table.tBodies[0].rows.length;
    filtered("dyt row<9", (rows) => expect(rows.length > 0 && rows.every((row) => row.textContent.includes("dyt") && Number(row.cells[0].textContent) < 9), "words do not filter"))
        .then(() => filtered("op=dyt", (rows) => expect(rows.length > 0 && rows.length < all && rows.every((row) => row.cells[at].textContent === "dyt"), "a column does not filter")))
        .then(() => expect(/^\d+ of \d+ rows$/.test(output.textContent), "the number of rows is not told"))
        .then(() => filtered("<img src=x onerror=alert(1)>", (rows) => expect(rows.length === 0, "nonsense is found")))
        .then(() => filtered("", (rows) => expect(rows.length === all, "an empty filter leaves rows out")))
        .catch((error) => wrong.push(String(error)))
        .then(() => {
            const result = document.createElement("pre");
            result.id = "probe";
            result.textContent = wrong.length === 0 ? "all holds" : `WRONG: ${wrong.slice(0, 20).join("; ")}`;
            document.body.append(result);
        });
})();
