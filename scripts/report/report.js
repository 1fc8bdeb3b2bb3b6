// SPDX-License-Identifier: MIT
// What the page of `normbench report` does beyond being read: it shows the row of a mark that is pointed at, leads to it, sorts and filters. All
// that it shows stands in the page; without it links, figures and tables are there all the same.
"use strict";
(() => {
    const card = document.getElementById("card");
    const make = (name, text) => {
        const element = document.createElement(name);
        if (text !== undefined) element.textContent = text;
        return element;
    };

    // ---- Rows

    const rowOf = (mark) => {
        const link = mark.getAttribute("href");
        return link && document.getElementById(link.slice(1));
    };

    // Name and value of each of its fields, those that are the same in all rows last.
    const fieldsOf = (row) => {
        const table = row.closest("table"), all = table.closest("details");
        const names = [...table.tHead.rows[0].cells].map((cell) => cell.textContent);
        const own = [...row.cells].map((cell, i) => [names[i], cell.textContent]);
        const same = [...all.querySelectorAll(".same > div")].map((pair) => [pair.children[0].textContent, pair.children[1].textContent]);
        return own.concat(same).filter((pair) => pair[1] !== "");
    };

    // ---- The card

    const place = (at) => {
        const gap = 12, box = card.getBoundingClientRect();
        const left = Math.min(Math.max(at.left, 8), innerWidth - box.width - 8);
        const below = at.bottom + gap, above = at.top - gap - box.height;
        card.style.left = `${Math.max(left, 8)}px`;
        const top = below + box.height < innerHeight || above < 0 ? below : above;
        card.style.top = `${Math.max(Math.min(top, innerHeight - box.height - 8), 8)}px`;
    };
    const show = (mark) => {
        const row = rowOf(mark);
        card.replaceChildren(make("b", mark.getAttribute("aria-label") || mark.textContent));
        if (row) {
            const list = make("dl");
            for (const [name, value] of fieldsOf(row)) {
                const pair = make("div");
                pair.classList.toggle("long", value.length > 16);
                pair.append(make("dt", name), make("dd", value));
                list.append(pair);
            }
            card.append(make("p", row.closest("details").querySelector("summary").textContent), list);
        }
        card.hidden = false;
        place((mark.querySelector("circle") || mark).getBoundingClientRect());
        mark.classList.add("at");
    };
    const hide = () => {
        card.hidden = true;
        for (const mark of document.querySelectorAll(".mark.at")) mark.classList.remove("at");
    };
    const markAt = (event) => event.target instanceof Element && event.target.closest(".mark");

    // Their words become a label, so that a browser's own hint does not cover the card.
    for (const mark of document.querySelectorAll("svg .mark")) {
        const title = mark.querySelector("title");
        mark.setAttribute("aria-label", title.textContent);
        title.remove();
        if (!mark.hasAttribute("href")) mark.setAttribute("tabindex", "0");
    }
    for (const begin of ["mouseover", "focusin"])
        document.addEventListener(begin, (event) => {
            const mark = markAt(event);
            hide();
            if (mark) show(mark);
        });
    for (const end of ["mouseout", "focusout"]) document.addEventListener(end, hide);
    document.addEventListener("keydown", (event) => {
        if (event.key === "Escape") hide();
    });

    // ---- To the row of a mark

    const find = () => {
        const row = /^#t\d+(r\d+)?$/.test(location.hash) && document.getElementById(location.hash.slice(1));
        for (const old of document.querySelectorAll("tr.found")) old.classList.remove("found");
        if (!row) return;
        row.closest("details").open = true;
        row.hidden = false;
        hide();
        if (row.tagName === "TR") row.classList.add("found");
        row.scrollIntoView({ block: "center", inline: "nearest" });
    };
    addEventListener("hashchange", find);
    document.addEventListener("click", (event) => {
        const link = event.target instanceof Element && event.target.closest("a[href^='#t']");
        if (link && link.getAttribute("href") === location.hash) find();
    });

    // ---- Sorting and filtering

    const compare = (a, b) => {
        const x = Number(a), y = Number(b);
        if (a === "" || b === "") return (a === "") - (b === "");
        if (!Number.isNaN(x) && !Number.isNaN(y)) return x - y;
        return a < b ? -1 : a > b ? 1 : 0;
    };
    // Missing values stay last, whichever the direction.
    const sort = (table, column, down) => {
        const body = table.tBodies[0], rows = [...body.rows].map((row) => [row.cells[column].textContent, row]);
        rows.sort((a, b) => (a[0] === "" || b[0] === "" || !down ? compare(a[0], b[0]) : compare(b[0], a[0])));
        body.append(...rows.map((pair) => pair[1]));
        for (const cell of table.tHead.rows[0].cells) cell.removeAttribute("aria-sort");
        table.tHead.rows[0].cells[column].setAttribute("aria-sort", down ? "descending" : "ascending");
    };
    // Every word has to be in the row: dyt, or column=value, column<number, column>number.
    const test = (names, word) => {
        const parts = /^([a-z0-9_]+)(=|<|>)(.*)$/.exec(word), column = parts ? names.indexOf(parts[1]) : -1;
        if (column < 0) return (cells) => cells.some((cell) => cell.textContent.toLowerCase().includes(word.toLowerCase()));
        const [, , sign, value] = parts;
        return (cells) => {
            const text = cells[column].textContent;
            if (sign === "=") return text === value;
            return text !== "" && value !== "" && (sign === "<" ? Number(text) < Number(value) : Number(text) > Number(value));
        };
    };
    const filter = (table, words, count) => {
        const names = [...table.tHead.rows[0].cells].map((cell) => cell.textContent);
        const tests = words.split(/\s+/).filter(Boolean).map((word) => test(names, word));
        let shown = 0;
        for (const row of table.tBodies[0].rows) {
            const cells = [...row.cells];
            row.hidden = !tests.every((fits) => fits(cells));
            shown += !row.hidden;
        }
        count.textContent = `${shown} of ${table.tBodies[0].rows.length} rows`;
    };

    const addTools = (details) => {
        const table = details.querySelector("table.rows"), tools = make("div"), label = make("label", "Filter "), input = make("input"),
            count = make("output", `${table.tBodies[0].rows.length} rows`);
        tools.className = "tools";
        input.type = "search";
        input.placeholder = "dyt threads=1 rows>64";
        let waits = 0;
        input.addEventListener("input", () => {
            clearTimeout(waits);
            waits = setTimeout(filter, 120, table, input.value, count);
        });
        label.append(input);
        tools.append(label, count);
        details.querySelector(".scroll").before(tools);
        [...table.tHead.rows[0].cells].forEach((cell, column) => {
            const button = make("button", cell.textContent);
            button.type = "button";
            button.addEventListener("click", () => sort(table, column, cell.getAttribute("aria-sort") === "ascending"));
            cell.replaceChildren(button);
        });
    };
    for (const details of document.querySelectorAll("details.data")) addTools(details);
    find();
})();
