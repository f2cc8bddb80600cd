"use strict";
(() => {
  const form = document.querySelector(".filter");
  if (!form) return;
  const input = form.querySelector("input");
  const found = form.querySelector("output");
  const chunks = [...document.querySelectorAll(".chunk")].map((chunk) => ({
    chunk,
    rows: [...chunk.querySelectorAll("tbody tr")],
  }));
  const total = chunks.reduce((sum, one) => sum + one.rows.length, 0);
  const texts = new Map();
  const textOf = (row) => {
    if (!texts.has(row)) texts.set(row, row.textContent.toLowerCase());
    return texts.get(row);
  };
  const show = () => {
    const words = input.value.toLowerCase().split(/\s+/).filter(Boolean);
    let count = 0;
    for (const { chunk, rows } of chunks) {
      let here = 0;
      for (const row of rows) {
        const fits = words.every((word) => textOf(row).includes(word));
        row.classList.toggle("gone", !fits);
        if (fits) here += 1;
      }
      chunk.classList.toggle("gone", here === 0);
      count += here;
    }
    found.textContent = words.length ? count.toLocaleString("en") + " of " + total.toLocaleString("en") : "";
  };
  let timer = 0;
  input.addEventListener("input", () => {
    clearTimeout(timer);
    timer = setTimeout(show, 120);
  });
  form.addEventListener("submit", (event) => event.preventDefault());
  form.hidden = false;
})();
