(async function () {
  "use strict";
  // A picture has no size before it is decoded, and a slide none before its pictures have.
  await Promise.all(Array.from(document.images, (image) => image.decode().catch(() => {})));
  const slides = Array.from(document.querySelectorAll(".slides section")).filter(
    (section) => !section.querySelector("section")
  );
  document.body.classList.add("measuring");
  for (const slide of slides) {
    const box = slide.querySelector(".fit");
    // What does not fit gets smaller down to 70 %, and is scrolled after that.
    for (const size of [1, 0.9, 0.8, 0.7]) {
      slide.style.setProperty("--size", size);
      if (box.scrollHeight <= box.clientHeight + 1 && box.scrollWidth <= box.clientWidth + 1) break;
    }
    if (box.scrollHeight > box.clientHeight + 1) {
      box.tabIndex = 0;
      box.setAttribute("role", "group");
      box.setAttribute("aria-label", "slide, can be scrolled");
    }
  }
  document.body.classList.remove("measuring");
  await Reveal.initialize({
    width: 1280,
    height: 720,
    margin: 0,
    center: false,
    hash: true,
    transition: "none",
    slideNumber: "c/t",
    plugins: [RevealNotes],
  });
  document.body.dataset.ready = "yes";
})();
