"use strict";
(() => {
  const table = document.querySelector("#choices");
  const body = table.tBodies[0];
  const valueOf = (row, column) => row.cells[column].dataset.value;
  const compare = (column, isText) => (one, other) => {
    const [a, b] = [valueOf(one, column), valueOf(other, column)];
    return isText ? a.localeCompare(b) : a - b;
  };
  const sort = (header) => {
    const column = header.cellIndex;
    const first = header.dataset.first;
    const order = header.getAttribute("aria-sort") === first ? (first === "ascending" ? "descending" : "ascending") : first;
    const rows = [...body.rows];
    // Rows without a value stay at the end, whatever the order.
    const missing = rows.filter((row) => valueOf(row, column) === "");
    const present = rows.filter((row) => valueOf(row, column) !== "");
    present.sort(compare(column, header.dataset.kind === "text"));
    if (order === "descending") present.reverse();
    body.append(...present, ...missing);
    for (const each of table.tHead.rows[0].cells) each.removeAttribute("aria-sort");
    header.setAttribute("aria-sort", order);
  };
  for (const header of table.tHead.rows[0].cells) {
    const button = header.querySelector("button");
    if (button) button.addEventListener("click", () => sort(header));
  }
  addEventListener("beforeprint", () => {
    for (const each of document.querySelectorAll("details")) each.open = true;
  });
})();
