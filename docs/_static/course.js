// What is scrolled sideways can be scrolled with the keyboard too: it has to take the focus.
(function () {
  "use strict";
  function reachable() {
    for (const box of document.querySelectorAll("pre, .table-wrapper, .cell_output div, .course-formula")) {
      if (box.scrollWidth > box.clientWidth && getComputedStyle(box).overflowX !== "visible") {
        box.tabIndex = 0;
      }
    }
  }
  addEventListener("load", reachable);
  addEventListener("resize", reachable);
})();
