import assert from "node:assert/strict";
import test from "node:test";

import { Turns } from "../../../photosearch/ui/static/turns.js";

function place() {
  const said = new Map();
  return {
    dataset: {},
    setAttribute: (name, value) => said.set(name, value),
    removeAttribute: (name) => said.delete(name),
    get busy() {
      return said.get("aria-busy") === "true";
    },
  };
}

function later() {
  let answer, refuse;
  const promise = new Promise((...both) => ([answer, refuse] = both));
  return { fetch: () => promise, answer, refuse };
}

test("an answer is shown, and says what it answers", async () => {
  const [element, question, shown] = [place(), later(), []];
  const taken = new Turns(element).take("a", question.fetch, (answer) => shown.push(answer));
  assert.ok(element.busy);
  assert.equal(element.dataset.shows, undefined);
  question.answer(1);
  await taken;
  assert.deepEqual([shown, element.dataset.shows, element.busy], [[1], "a", false]);
});

test("an answer that a newer question has overtaken is dropped", async () => {
  const [element, first, second, shown] = [place(), later(), later(), []];
  const turns = new Turns(element);
  const show = (answer) => shown.push(answer);
  const both = [turns.take("a", first.fetch, show), turns.take("b", second.fetch, show)];
  second.answer(2);
  await both[1];
  first.answer(1);
  await both[0];
  assert.deepEqual([shown, element.dataset.shows, element.busy], [[2], "b", false]);
});

test("so is its failure", async () => {
  const [element, first, second] = [place(), later(), later()];
  const turns = new Turns(element);
  const both = [turns.take("a", first.fetch), turns.take("b", second.fetch)];
  first.refuse(new Error("late"));
  await both[0];
  assert.ok(element.busy);
  second.refuse(new Error("now"));
  await assert.rejects(both[1], /now/);
  assert.deepEqual([element.dataset.shows, element.busy], [undefined, false]);
});
