// The control room: asks for the figures every few seconds while the page is looked at, and draws them in place.
// All texts come from the server; this script only sorts, links and draws.
"use strict";
(() => {
    const room = document.getElementById("room");
    if (!room) return;
    const EVERY = 5000;
    const LATE = 15000;
    const RESTING = "Resting while nobody looks";
    const state = { range: room.dataset.range, heard: 0, timer: 0, asking: null, orders: {}, drawn: {}, charts: {} };
    const one = (selector, root = room) => root.querySelector(selector);
    const COLORS = { blue: "#3b82f6", green: "#16a34a", orange: "#d97706", red: "#dc2626", violet: "#7c3aed", gray: "#64748b" };

    // --- cells and tables -------------------------------------------------------------------------------------------
    const make = (name, className, text) => {
        const element = document.createElement(name);
        if (className) element.className = className;
        if (text !== undefined) element.textContent = text;
        return element;
    };
    const link = (text, url, className) => {
        const anchor = make("a", className, text);
        anchor.href = url;
        return anchor;
    };
    const cellOf = (cell, column) => {
        const box = make("td", column.number ? "m-number" : "");
        if (cell.bar !== undefined) {
            const bar = make("progress", "m-progress");
            bar.max = 100;
            bar.value = cell.bar;
            box.append(bar);
        }
        const tone = cell.tone ? `m-${cell.tone}` : "";
        box.append(cell.url ? link(cell.text, cell.url, tone) : make("span", tone, cell.text));
        return box;
    };
    const keyOf = (cell) => (cell.sort === undefined ? cell.text : cell.sort);
    const compare = (first, second) => (typeof first === "number" && typeof second === "number"
        ? first - second : String(first).localeCompare(String(second)));
    const sorted = (key, table) => {
        const order = state.orders[key];
        if (!order) return table.rows;
        const rows = [...table.rows];
        rows.sort((a, b) => order.sign * compare(keyOf(a[order.column]), keyOf(b[order.column])));
        return rows;
    };
    const headOf = (key, table, draw) => {
        const row = make("tr");
        table.columns.forEach((column, index) => {
            const head = make("th", column.number ? "m-number" : "");
            const button = make("button", "", column.title);
            button.type = "button";
            const order = state.orders[key];
            if (order && order.column === index) head.setAttribute("aria-sort", order.sign > 0 ? "ascending" : "descending");
            button.addEventListener("click", () => {
                const before = state.orders[key];
                const first = column.number ? -1 : 1;
                state.orders[key] = { column: index, sign: before && before.column === index ? -before.sign : first };
                draw();
            });
            head.append(button);
            row.append(head);
        });
        return row;
    };
    const say = (box, text) => {
        box.textContent = text || "";
        box.hidden = !text;
    };
    const drawTable = (key, table) => {
        const card = one(`[data-table="${key}"]`);
        const draw = () => {
            const rows = table.missing ? [] : sorted(key, table);
            one(".m-scroll", card).hidden = !rows.length;
            one("thead", card).replaceChildren(...(rows.length ? [headOf(key, table, draw)] : []));
            one("tbody", card).replaceChildren(...rows.map((cells) => {
                const row = make("tr");
                row.append(...cells.map((cell, index) => cellOf(cell, table.columns[index])));
                return row;
            }));
            say(one("[data-empty]", card), rows.length ? "" : table.missing ? `Missing: ${table.missing}.` : table.empty);
            say(one("[data-note]", card), table.missing ? "" : table.note);
            if (key === "alerts") card.hidden = !rows.length && !table.missing;
        };
        draw();
    };

    // --- tiles ------------------------------------------------------------------------------------------------------
    const drawTile = (key, tile) => {
        const box = one(`[data-tile="${key}"]`);
        const value = make("strong", tile.tone ? `m-${tile.tone}` : "", tile.missing ? "missing" : tile.value);
        const title = tile.url ? link(tile.title, tile.url) : make("span", "", tile.title);
        box.replaceChildren(title, value, make("span", "m-soft m-small", tile.missing || tile.note));
    };

    // --- charts -----------------------------------------------------------------------------------------------------
    const css = (name) => getComputedStyle(document.documentElement).getPropertyValue(name).trim();
    const isDark = () => document.documentElement.classList.contains("dark");
    const axis = (unit, position, most) => ({
        position, beginAtZero: true, suggestedMax: most || undefined, border: { display: false },
        title: { display: true, text: unit, color: "#9ca3af" }, ticks: { color: "#9ca3af", maxTicksLimit: 5 },
        grid: { color: isDark() ? css("--color-base-800") : css("--color-base-200"), drawOnChartArea: position === "left" },
    });
    const optionsOf = (chart) => {
        const scales = {
            x: { grid: { display: false }, ticks: { color: "#9ca3af", maxRotation: 0, autoSkipPadding: 16 } },
            y: axis(chart.units[0], "left", chart.most),
        };
        if (chart.units.length > 1) scales.y1 = axis(chart.units[1], "right");
        return {
            animation: false, responsive: true, maintainAspectRatio: false, interaction: { mode: "index", intersect: false },
            plugins: { legend: { align: "end", labels: { color: "#9ca3af", boxHeight: 6, boxWidth: 6, usePointStyle: true } } },
            scales,
        };
    };
    const isAlone = (values, at) => [values[at - 1], values[at + 1]].every((next) => next === null || next === undefined);
    const datasetOf = (line) => ({
        label: line.title, data: line.values, borderColor: COLORS[line.color], backgroundColor: COLORS[line.color],
        borderWidth: line.target ? 1 : 2, borderDash: line.target ? [6, 4] : [], cubicInterpolationMode: "monotone",
        // a value between two gaps has no line to be seen by
        pointRadius: line.values.map((value, at) => (isAlone(line.values, at) ? 2.5 : 0)), pointHitRadius: 8, spanGaps: false,
        yAxisID: line.axis ? "y1" : "y",
    });
    const drawChart = (key, chart) => {
        const canvas = one(`[data-chart="${key}"]`);
        const isEmpty = chart.missing || !chart.lines.length;
        canvas.style.visibility = isEmpty ? "hidden" : "visible";
        const words = chart.missing ? `Missing: ${chart.missing}.` : "Nothing was measured in this time.";
        say(one("[data-none]", canvas.parentElement), isEmpty ? words : "");
        if (isEmpty) return;
        const data = { labels: chart.labels, datasets: chart.lines.map(datasetOf) };
        const known = state.charts[key];
        if (!known) {
            state.charts[key] = new Chart(canvas, { type: "line", data, options: optionsOf(chart) });
            return;
        }
        // a line that is hidden by a click on its name stays hidden
        data.datasets.forEach((each, index) => { each.hidden = known.isDatasetVisible(index) === false && index < known.data.datasets.length; });
        known.data = data;
        known.options = optionsOf(chart);
        known.update("none");
    };

    // --- the whole answer -------------------------------------------------------------------------------------------
    const drawState = (told) => {
        const badge = one("[data-state]");
        badge.className = `m-badge m-${told.tone}`;
        badge.textContent = told.word;
        one("[data-reasons]").replaceChildren(...told.reasons.map((reason) => {
            const item = make("li", `m-${reason.tone}`);
            item.append(reason.url ? link(reason.text, reason.url) : make("span", "", reason.text));
            return item;
        }));
    };
    // what has not changed is not drawn again: a text that somebody marks stays marked
    const each = (kind, parts, draw) => {
        for (const [key, part] of Object.entries(parts)) {
            const now = JSON.stringify(part);
            if (state.drawn[`${kind} ${key}`] === now) continue;
            state.drawn[`${kind} ${key}`] = now;
            draw(key, part);
        }
    };
    const show = (answer) => {
        drawState(answer.state);
        each("tile", answer.tiles, drawTile);
        each("chart", answer.charts, drawChart);
        each("table", answer.tables, drawTable);
        room.dataset.drawn = answer.range;
        tell("r-live", `${answer.at}, asked again every ${EVERY / 1000} s`);
    };
    const tell = (className, text) => {
        one("[data-pulse]").className = `r-pulse ${className}`;
        one("[data-said]").textContent = text;
    };
    const fail = (text) => {
        room.classList.toggle("r-late-page", Date.now() - state.heard > LATE);
        tell("r-late", text);
    };
    const refusal = (response) => (response.redirected || [401, 403].includes(response.status)
        ? "You were signed out: load the page again." : `The server answered ${response.status}: asking again.`);

    const ask = async () => {
        window.clearTimeout(state.timer);
        if (state.asking) state.asking.abort();
        const asking = state.asking = new AbortController();
        room.setAttribute("aria-busy", "true");
        const limit = window.setTimeout(() => asking.abort(), LATE);
        try {
            const address = `${room.dataset.figures}?range=${encodeURIComponent(state.range)}`;
            const response = await fetch(address, { headers: { Accept: "application/json" }, signal: asking.signal });
            if (!response.ok || response.redirected) { fail(refusal(response)); } else {
                const answer = await response.json();
                if (asking !== state.asking) return;
                state.heard = Date.now();
                room.classList.remove("r-late-page");
                show(answer);
            }
        } catch (error) {
            if (asking !== state.asking) return;
            if (!(error instanceof TypeError || error.name === "AbortError")) throw error;
            fail("The server does not answer: asking again.");
        } finally {
            window.clearTimeout(limit);
            if (asking === state.asking) {
                state.asking = null;
                room.removeAttribute("aria-busy");
                if (document.hidden) tell("", RESTING); else state.timer = window.setTimeout(ask, EVERY);
            }
        }
    };

    one(".r-ranges").addEventListener("click", (event) => {
        const chosen = event.target.closest("a");
        if (!chosen || event.ctrlKey || event.metaKey || event.shiftKey) return;
        event.preventDefault();
        state.range = chosen.dataset.key;
        for (const other of room.querySelectorAll(".r-ranges a")) other.removeAttribute("aria-current");
        chosen.setAttribute("aria-current", "true");
        window.history.replaceState(null, "", `?range=${state.range}`);
        ask();
    });
    document.addEventListener("visibilitychange", () => {
        if (document.hidden) { window.clearTimeout(state.timer); tell("", RESTING); } else ask();
    });
    // unfold switches light and dark by a class: the grid follows
    new MutationObserver(() => { for (const key of Object.keys(state.drawn)) if (key.startsWith("chart ")) delete state.drawn[key]; })
        .observe(document.documentElement, { attributes: true, attributeFilter: ["class"] });
    ask();
})();
