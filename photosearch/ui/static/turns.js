// Which question a part of the page answers. It says so itself, in `data-shows`, and in `aria-busy`
// that an answer is under way; one that a newer question has overtaken is dropped.

export class Turns {
  constructor(element) {
    this.element = element;
    this.turn = null;
  }

  // Whether this is the question that was asked last.
  asks(question) {
    return this.turn?.question === question;
  }

  // No answer is wanted any more.
  drop() {
    this.turn = null;
    this.element.removeAttribute("aria-busy");
    delete this.element.dataset.shows;
  }

  // Asks with `fetch`, and hands the answer to `show`, unless another question has come by then.
  // Throws what `fetch` throws, under the same condition.
  async take(question, fetch, show = () => {}) {
    const turn = (this.turn = { question });
    this.element.setAttribute("aria-busy", "true");
    delete this.element.dataset.shows;
    try {
      const answer = await fetch();
      if (turn !== this.turn) return;
      show(answer);
      this.element.dataset.shows = question;
    } catch (error) {
      if (turn === this.turn) throw error;
    } finally {
      if (turn === this.turn) this.element.removeAttribute("aria-busy");
    }
  }
}
