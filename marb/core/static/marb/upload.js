// The upload page: one request a file, so that each has its own bar and its own answer.
"use strict";
(() => {
    const form = document.getElementById("upload");
    const drop = document.getElementById("drop");
    const input = form.querySelector("input[type=file]");
    const results = document.getElementById("results");

    const line = (file) => {
        const item = document.createElement("li");
        const name = document.createElement("a");
        name.textContent = file.name;
        name.className = "m-strong";
        const bar = document.createElement("progress");
        bar.className = "m-progress";
        bar.max = 100;
        bar.value = 0;
        const sentence = document.createElement("p");
        sentence.textContent = "Waiting";
        item.append(name, sentence, bar);
        results.querySelector("ul").prepend(item);
        results.hidden = false;
        return { name, bar, sentence };
    };

    const finish = (shown, outcome, sentence, url) => {
        const tones = { received: "m-good", duplicate: "m-warn", refused: "m-bad" };
        shown.sentence.className = tones[outcome];
        shown.sentence.textContent = sentence;
        shown.bar.remove();
        if (url) shown.name.href = url;
    };

    const refusal = (status) => {
        if (status === 0) return "The connection was lost. Nothing was kept; send the file again.";
        if (status === 403) return "You may not upload here, or you were signed out. Load the page again.";
        if (status === 413) return "The file is too large.";
        return "The server could not take the file. Nothing was kept; send it again later.";
    };

    const answerOf = (request) => {
        try { return JSON.parse(request.responseText).files[0]; } catch (error) { return null; }
    };

    const send = (file, shown) => new Promise((done) => {
        const body = new FormData(form);
        body.delete("file");
        body.append("file", file, file.name);
        const request = new XMLHttpRequest();
        request.open("POST", form.action);
        request.setRequestHeader("Accept", "application/json");
        request.upload.onprogress = (event) => {
            if (!event.lengthComputable) return;
            shown.bar.value = 100 * event.loaded / event.total;
            shown.sentence.textContent = event.loaded < event.total ? "Sending" : "Being checked";
        };
        request.onloadend = () => {
            const answer = answerOf(request);
            if (answer) finish(shown, answer.outcome, answer.sentence, answer.url);
            else finish(shown, "refused", refusal(request.status), "");
            done();
        };
        request.send(body);
    });

    const sendAll = async (files) => {
        const waiting = [...files].map((file) => [file, line(file)]);
        for (const [file, shown] of waiting) await send(file, shown);
    };

    const take = (files) => {
        const practice = form.querySelector("[name=practice]");
        if (practice && !practice.reportValidity()) return;
        if (files.length) sendAll(files).then(() => { input.value = ""; });
    };

    form.querySelector("button[type=submit]").hidden = true; // choosing sends
    form.addEventListener("submit", (event) => { event.preventDefault(); take(input.files); });
    // caught on its way down: unfold's own listener looks for a text field that this form does not have
    drop.addEventListener("change", (event) => { event.stopPropagation(); take(input.files); }, true);
    for (const kind of ["dragover", "dragenter"]) {
        drop.addEventListener(kind, (event) => { event.preventDefault(); drop.classList.add("m-over"); });
    }
    for (const kind of ["dragleave", "drop"]) {
        drop.addEventListener(kind, () => drop.classList.remove("m-over"));
    }
    drop.addEventListener("drop", (event) => { event.preventDefault(); take(event.dataTransfer.files); });
})();
