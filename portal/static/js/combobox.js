// What text fields with a list of options have in common (the APG's combobox): which option is
// active, the keys that move to another one, and answers that come late.

// The options are the [role=option] elements in `list`; `text` says which of them is active.
export class Options {
  constructor(list) {
    this.list = list;
    this.active = -1;
  }

  get all() {
    return [...this.list.querySelectorAll("[role=option]")];
  }

  get chosen() {
    return this.all[this.active];
  }

  // After the list has other options: none of them is active.
  renew(text) {
    this.active = -1;
    text.removeAttribute("aria-activedescendant");
    this.all.forEach((option, index) => {
      option.id = `${this.list.id}-${index}`;
    });
  }

  // To the option of that number; below the last stands the first.
  move(text, to) {
    const all = this.all;
    if (!all.length) return;
    all[this.active]?.setAttribute("aria-selected", "false");
    this.active = (to + all.length) % all.length;
    all[this.active].setAttribute("aria-selected", "true");
    all[this.active].scrollIntoView({ block: "nearest" });
    text.setAttribute("aria-activedescendant", all[this.active].id);
  }

  // Whether the key moved.
  press(text, key) {
    const { active } = this;
    const to = {
      ArrowDown: active + 1,
      ArrowUp: active === -1 ? -1 : active - 1,
      Home: 0,
      End: -1,
    }[key];
    if (to === undefined) return false;
    this.move(text, to);
    return true;
  }
}

// Asks for options while somebody types: the last question alone, after a pause.
export class Question {
  #timer = 0;
  #request = null;

  // `read` makes what it wants of the response. `then` is not called once somebody asks anew or
  // stops; `failed` is, where nothing came.
  ask(url, headers, pause, { read, then, failed }) {
    this.stop();
    this.#timer = setTimeout(async () => {
      const mine = (this.#request = new AbortController());
      let answer;
      try {
        const response = await fetch(url, { headers, signal: mine.signal });
        if (!response.ok) throw new Error(String(response.status));
        answer = await read(response);
      } catch {
        if (!mine.signal.aborted) failed();
        return;
      }
      if (!mine.signal.aborted) then(answer);
    }, pause);
  }

  stop() {
    clearTimeout(this.#timer);
    this.#request?.abort();
  }
}
