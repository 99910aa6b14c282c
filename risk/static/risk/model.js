// The plots of a model's page: the curves stand as JSON in the page, this script only draws them.
"use strict";
(() => {
    const place = document.getElementById("plots");
    if (!place) return;
    const plots = JSON.parse(place.textContent);
    const GRAY = "#9ca3af";
    const points = (pairs) => pairs.map(([x, y]) => ({ x, y }));
    const line = (label, data, color, more) => ({ label, data, borderColor: color, backgroundColor: color, borderWidth: 2, pointRadius: 0, ...more });
    const EVEN = line("No better than chance", points([[0, 0], [1, 1]]), GRAY, { borderWidth: 1, borderDash: [6, 4] });
    const EXACT = { ...EVEN, label: "Exactly right" };
    const table = plots.reliability || [];
    const most = Math.min(1, 1.1 * Math.max(0.05, ...table.map((each) => Math.max(each.predicted, each.observed))));
    const drawn = {
        roc: { x: "Paid claims called denied", y: "Denials found", most: 1, sets: [line("This model", points(plots.roc || []), "#3b82f6"), EVEN] },
        pr: { x: "Denials found (recall)", y: "Right of those named (precision)", most: 1, sets: [line("This model", points(plots.pr || []), "#16a34a")] },
        reliability: {
            x: "Predicted", y: "Observed", most,
            sets: [line("A tenth of the claims", table.map((each) => ({ x: each.predicted, y: each.observed })), "#d97706", { pointRadius: 4 }), EXACT],
        },
    };
    const axis = (text, max) => ({ type: "linear", min: 0, max, title: { display: true, text, color: GRAY }, ticks: { color: GRAY, maxTicksLimit: 6 }, grid: { color: "rgba(156, 163, 175, 0.2)" } });
    for (const canvas of document.querySelectorAll("[data-plot]")) {
        const plot = drawn[canvas.dataset.plot];
        new Chart(canvas, {
            type: "line", data: { datasets: plot.sets },
            options: {
                animation: false, responsive: true, maintainAspectRatio: false, parsing: false,
                plugins: { legend: { align: "end", labels: { color: GRAY, boxHeight: 6, boxWidth: 6, usePointStyle: true } } },
                scales: { x: axis(plot.x, plot.most), y: axis(plot.y, plot.most) },
            },
        });
    }
})();
