// Test only: the server of browser.py adds this script to each page and shows the page in a frame as wide as the window
// it stands for (Chromium's own window is never narrower than 500 pixels). What is found goes to that frame's page.
addEventListener("load", async () => {
  const root = document.documentElement;
  const height = root.scrollHeight;
  for (const details of document.querySelectorAll("details")) details.open = true;
  for (const image of document.images) image.loading = "eager";
  await Promise.allSettled([...document.images].map((image) => image.decode()));
  const withoutNotes = (cell) => {
    const copy = cell.cloneNode(true);
    copy.querySelectorAll("sup").forEach((note) => note.remove());
    return copy.textContent.trim();
  };
  const answers = async (url) => (await fetch(url).catch(() => ({ ok: false }))).ok;
  const links = [...document.querySelectorAll("a[href], link[href]")].map((link) => new URL(link.href, location));
  const local = [...new Set(links.filter((link) => link.origin === location.origin).map((link) => link.href))];
  const violations = window.axe ? (await axe.run(document, { resultTypes: ["violations"] })).violations : [];
  const found = {
    width: innerWidth,
    height,
    room: root.clientWidth,
    scrolled: root.scrollWidth,
    dark: matchMedia("(prefers-color-scheme: dark)").matches,
    links: local,
    elsewhere: links.filter((link) => link.origin !== location.origin).map((link) => link.href),
    brokenLinks: (await Promise.all(local.map(async (link) => ((await answers(link)) ? [] : [link])))).flat(),
    brokenAnchors: links
      .filter((link) => link.origin === location.origin && link.pathname === location.pathname && link.hash)
      .map((link) => decodeURIComponent(link.hash.slice(1)))
      .filter((id) => !document.getElementById(id)),
    images: [...document.images].map((image) => [image.getAttribute("src"), image.alt, image.naturalWidth]),
    tables: [...document.querySelectorAll("main table")].map((table) => ({
      overflows: table.scrollWidth > table.clientWidth || table.parentElement.scrollWidth > table.parentElement.clientWidth,
      rows: [...table.rows].map((row) => [...row.cells].map(withoutNotes)),
    })),
    text: document.body.innerText,
    axe: violations.map((one) => [one.impact, one.id, one.nodes.length, one.nodes.slice(0, 3).map((node) => node.html)]),
    ranAxe: Boolean(window.axe),
  };
  const button = document.querySelector("main table:nth-of-type(1) button");
  if (button) {
    const table = button.closest("table");
    button.click();
    found.sorted = [...table.tBodies[0].rows].map((row) => row.cells[0].innerText);
    found.sort = button.closest("th").getAttribute("aria-sort");
  }
  parent.postMessage(encodeURIComponent(JSON.stringify(found)), location.origin);
});
