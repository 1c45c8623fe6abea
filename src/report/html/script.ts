/** What makes the fleet table sort and filter. Without it, everything is there all the same. */
export const SCRIPT = `
'use strict';
(() => {
  const hosts = JSON.parse(document.getElementById('data').textContent).hosts;
  const table = document.getElementById('fleet');
  const count = document.getElementById('shown');
  if (table !== null) {
    const body = table.tBodies[0];
    const rows = Array.from(body.rows);
    const search = document.getElementById('search');
    const boxes = Array.from(document.querySelectorAll('.filter input[type=checkbox]'));
    const filter = () => {
      const words = search.value.toLowerCase().split(/\\s+/).filter((word) => word !== '');
      const states = boxes.filter((box) => box.checked).map((box) => box.value);
      let shown = 0;
      for (const row of rows) {
        const host = hosts[Number(row.dataset.index)];
        const text = [host.name, host.image, host.system, host.error, host.target].join(' ').toLowerCase();
        const fits = states.includes(host.state) && words.every((word) => text.includes(word));
        row.hidden = !fits;
        const section = document.getElementById('host-' + (Number(row.dataset.index) + 1));
        if (section !== null) section.hidden = !fits;
        if (fits) shown += 1;
      }
      count.textContent = shown + ' of ' + rows.length + ' hosts';
    };
    search.addEventListener('input', filter);
    for (const box of boxes) box.addEventListener('change', filter);
    for (const button of table.querySelectorAll('thead button')) {
      button.addEventListener('click', () => {
        const head = button.closest('th');
        const downwards = head.getAttribute('aria-sort') === 'ascending';
        for (const other of table.querySelectorAll('thead th')) other.removeAttribute('aria-sort');
        head.setAttribute('aria-sort', downwards ? 'descending' : 'ascending');
        const key = button.dataset.key;
        const value = (row) => hosts[Number(row.dataset.index)][key];
        const compare = (a, b) => typeof a === 'number' && typeof b === 'number' ? a - b : String(a).localeCompare(String(b), 'en', { numeric: true });
        rows.sort((a, b) => {
          const one = value(a), two = value(b);
          if (one === null || two === null) return one === two ? 0 : one === null ? 1 : -1;
          return downwards ? compare(two, one) : compare(one, two);
        });
        body.append(...rows);
      });
    }
    filter();
  }
  const reveal = () => {
    const id = decodeURIComponent(location.hash.slice(1));
    const target = id === '' ? null : document.getElementById(id);
    if (target instanceof HTMLDetailsElement) {
      target.hidden = false;
      target.open = true;
      target.scrollIntoView();
      target.querySelector('summary').focus({ preventScroll: true });
    }
  };
  addEventListener('hashchange', reveal);
  document.addEventListener('click', (event) => {
    const link = event.target instanceof Element ? event.target.closest('a[href^="#host-"]') : null;
    if (link !== null && link.hash === location.hash) reveal();
  });
  reveal();
  let opened = [];
  addEventListener('beforeprint', () => {
    opened = Array.from(document.querySelectorAll('details.host:not([open])'));
    if (opened.length <= 50) for (const each of opened) each.open = true;
    else opened = [];
  });
  addEventListener('afterprint', () => { for (const each of opened) each.open = false; });
})();
`;
