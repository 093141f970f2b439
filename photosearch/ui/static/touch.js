// What a finger does that a mouse does otherwise: held on something, it selects.

// Milliseconds that a finger rests, and pixels that it may move meanwhile.
const HOLD = 500;
const STILL = 10;

// Calls `hold` with what a finger rests on inside of `element`. The tap that would follow is none.
export function onHold(element, hold) {
  let timer = null;
  let start = null;
  let held = false;
  const end = () => {
    clearTimeout(timer);
    timer = null;
  };
  element.addEventListener("pointerdown", (event) => {
    end();
    held = false;
    start = event.pointerType === "touch" && event.isPrimary ? event : null;
    if (!start) return;
    timer = setTimeout(() => {
      held = true;
      hold(start.target);
    }, HOLD);
  });
  element.addEventListener("pointermove", (event) => {
    if (timer && Math.hypot(event.x - start.x, event.y - start.y) > STILL) end();
  });
  for (const name of ["pointerup", "pointercancel"]) element.addEventListener(name, end);
  // The browser's menu for pictures would lie over what is selected.
  element.addEventListener("contextmenu", (event) => start && event.preventDefault());
  element.addEventListener(
    "click",
    (event) => {
      if (held) event.stopPropagation();
      held = false;
    },
    { capture: true },
  );
}
