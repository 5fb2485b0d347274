"use strict";
{
  const LIMIT = 100;
  const table = document.querySelector("table");
  const rows = table ? [...table.tBodies[0].rows] : [];
  const form = document.querySelector("form");
  const more = document.querySelector(".more");
  let shown = rows;
  let limit = LIMIT;

  const number = (cell) => {
    const value = parseFloat(cell.textContent.replace(/[$,]/g, ""));
    return Number.isNaN(value) ? null : value;
  };
  const compare = (column, sign) => (a, b) => {
    const [left, right] = [a.cells[column], b.cells[column]];
    if (column < 2 || column > 8) return sign * left.textContent.localeCompare(right.textContent, "en", { numeric: true });
    const [x, y] = [number(left), number(right)];
    if (x === null || y === null) return (x === null) - (y === null);
    return sign * (x - y);
  };
  const show = () => {
    const visible = new Set(shown.slice(0, limit));
    for (const row of rows) row.hidden = !visible.has(row);
    const count = (size) => size.toLocaleString("en");
    form.querySelector("output").textContent = `${count(visible.size)} of ${count(rows.length)} tests`;
    more.hidden = visible.size === shown.length;
    more.textContent = `Show all ${count(shown.length)} tests`;
  };
  const filter = () => {
    const wanted = form.querySelector("input").value.trim().toLowerCase();
    const words = (row) => `${row.cells[0].textContent} ${row.cells[1].textContent}`.toLowerCase();
    shown = wanted ? rows.filter((row) => words(row).includes(wanted)) : rows;
    show();
  };
  const sort = (head) => {
    const column = head.cellIndex;
    const first = column < 2 ? "ascending" : "descending";
    const other = first === "ascending" ? "descending" : "ascending";
    const order = head.getAttribute("aria-sort") === first ? other : first;
    for (const one of head.parentNode.cells) one.removeAttribute("aria-sort");
    head.setAttribute("aria-sort", order);
    rows.sort(compare(column, order === "ascending" ? 1 : -1));
    table.tBodies[0].append(...rows);
    filter();
  };

  if (table) {
    for (const head of table.tHead.rows[0].cells) head.addEventListener("click", () => sort(head));
    form.addEventListener("input", filter);
    form.addEventListener("submit", (event) => event.preventDefault());
    more.addEventListener("click", () => { limit = Infinity; show(); });
    form.hidden = rows.length < 2;
    show();
  }
}
