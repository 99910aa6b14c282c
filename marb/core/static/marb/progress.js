// A running file's page: asks how far it is, writes the figures in place, and loads the page once at the end.
"use strict";
(() => {
    const box = document.querySelector("[data-progress]");
    if (!box) return;
    const show = (answer) => {
        box.querySelector("progress").value = answer.percent;
        box.querySelector("[data-step]").textContent = answer.step;
        box.querySelector("[data-percent]").textContent = answer.percent;
        box.querySelector("[data-pace]").textContent = answer.pace;
        const status = document.querySelector("#status .m-badge");
        status.className = `m-badge m-${answer.tone}`;
        status.textContent = answer.words;
        for (const [key, value] of Object.entries(answer.figures)) {
            const figure = document.querySelector(`[data-figure="${key}"]`);
            if (figure) figure.textContent = value;
        }
    };
    let wait = 1000;
    const ask = async () => {
        try {
            const response = await fetch(box.dataset.progress, { headers: { Accept: "application/json" } });
            if (!response.ok) return;
            const answer = await response.json();
            show(answer);
            if (answer.is_finished) { window.location.reload(); return; }
            wait = Math.min(wait * 1.25, 5000);
        } catch (error) {
            if (!(error instanceof TypeError)) throw error;
            wait = 5000; // no network for the moment
        }
        window.setTimeout(ask, wait);
    };
    window.setTimeout(ask, wait);
})();
