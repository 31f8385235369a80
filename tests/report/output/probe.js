// Test only: the server of test_jekyll.py adds this script to each page and shows the page in a frame as wide as the
// window it stands for (Chromium's own window is never narrower than 500 pixels). What is found goes to that frame's page.
addEventListener("load", async () => {
  const root = document.documentElement;
  for (const image of document.images) image.loading = "eager";
  await Promise.allSettled([...document.images].map((image) => image.decode()));
  const answers = async (url) => (await fetch(url).catch(() => ({ ok: false }))).ok;
  const links = [...document.querySelectorAll("a[href], link[href]")].map((link) => new URL(link.href, location));
  const local = [...new Set(links.filter((link) => link.origin === location.origin).map((link) => link.href))];
  const found = {
    width: innerWidth,
    room: root.clientWidth,
    scrolled: root.scrollWidth,
    links: local,
    elsewhere: links.filter((link) => link.origin !== location.origin).map((link) => link.href),
    brokenLinks: (await Promise.all(local.map(async (link) => ((await answers(link)) ? [] : [link])))).flat(),
    brokenAnchors: links
      .filter((link) => link.origin === location.origin && link.pathname === location.pathname && link.hash)
      .map((link) => decodeURIComponent(link.hash.slice(1)))
      .filter((id) => !document.getElementById(id)),
    images: [...document.images].map((image) => [image.getAttribute("src"), image.alt, image.naturalWidth]),
    tables: [...document.querySelectorAll(".page-content table")].map((table) => ({
      overflows: table.scrollWidth > table.clientWidth || table.parentElement.scrollWidth > table.parentElement.clientWidth,
      rows: [...table.rows].map((row) => [...row.cells].map((cell) => cell.innerText.trim())),
    })),
    text: document.body.innerText,
    scripts: [...document.scripts].filter((script) => script.type !== "application/ld+json").map((script) => script.src || script.text),
  };
  parent.postMessage(encodeURIComponent(JSON.stringify(found)), location.origin);
});
