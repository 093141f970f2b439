import assert from "node:assert/strict";
import test from "node:test";

import { onHold } from "../../../photosearch/ui/static/touch.js";

// A finger, or a mouse, on something that tells of events as an element does; time passes as told.
function pointed(run, kind = "touch") {
  const { setTimeout, clearTimeout } = globalThis;
  let now = 0;
  let due = [];
  globalThis.setTimeout = (call, after) => {
    due.push({ call, at: now + after });
    return due.at(-1);
  };
  globalThis.clearTimeout = (timer) => (due = due.filter((one) => one !== timer));
  const pass = (time) => {
    now += time;
    const over = due.filter((one) => one.at <= now);
    due = due.filter((one) => one.at > now);
    for (const one of over) one.call();
  };
  try {
    let held = 0;
    let clicks = 0;
    const element = new EventTarget();
    onHold(element, () => (held += 1));
    element.addEventListener("click", (event) => (clicks += event.stopped ? 0 : 1));
    const send = (name, more = {}) => {
      const event = Object.assign(new Event(name, { cancelable: true }), { pointerType: kind, isPrimary: true, x: 0, y: 0, ...more });
      event.stopPropagation = () => (event.stopped = true);
      element.dispatchEvent(event);
      return event;
    };
    run(send, pass);
    return { held, clicks };
  } finally {
    Object.assign(globalThis, { setTimeout, clearTimeout });
  }
}

test("a finger that rests selects, and its tap is none", () => {
  const found = pointed((send, pass) => {
    send("pointerdown");
    pass(600);
    send("pointerup");
    send("click");
    send("click");
  });
  assert.deepEqual(found, { held: 1, clicks: 1 });
});

test("a short tap is a click", () => {
  const found = pointed((send, pass) => {
    send("pointerdown");
    pass(100);
    send("pointerup");
    send("click");
    pass(1000);
  });
  assert.deepEqual(found, { held: 0, clicks: 1 });
});

test("a finger that moves scrolls", () => {
  const found = pointed((send, pass) => {
    send("pointerdown");
    send("pointermove", { x: 3, y: 4 });
    send("pointermove", { x: 30 });
    pass(1000);
  });
  assert.equal(found.held, 0);
});

test("one that trembles still holds", () => {
  const found = pointed((send, pass) => {
    send("pointerdown");
    send("pointermove", { x: 3, y: 4 });
    pass(600);
  });
  assert.equal(found.held, 1);
});

test("a mouse does not hold, and has its menu", () => {
  const found = pointed((send, pass) => {
    send("pointerdown");
    pass(1000);
    assert.ok(!send("contextmenu").defaultPrevented);
  }, "mouse");
  assert.equal(found.held, 0);
  pointed((send) => {
    send("pointerdown");
    assert.ok(send("contextmenu").defaultPrevented);
  });
});
