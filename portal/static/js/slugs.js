// A short name follows from the company's while that is typed, until somebody changes it by hand.
// The wording matches `suggest_slug` of the server.

const SPELLINGS = { ä: "ae", ö: "oe", ü: "ue", ß: "ss", ø: "o", ł: "l", æ: "ae" };

export function slugOf(name) {
  const plain = name
    .toLowerCase()
    .replace(/[äöüßøłæ]/g, (letter) => SPELLINGS[letter])
    .normalize("NFKD")
    .replace(/[^\0-\x7f]/g, "");
  const words = plain.replace(/[^a-z0-9]+/g, "-").replace(/^-|-$/g, "");
  const fit = /^[a-z]/.test(words) || !words ? words : `msp-${words}`;
  return fit.slice(0, 40).replace(/-+$/, "");
}

for (const field of document.querySelectorAll("[data-slug-of]")) {
  const company = document.getElementById(field.dataset.slugOf);
  let follows = !field.value || field.value === slugOf(company.value);
  field.addEventListener("input", () => (follows = !field.value));
  company.addEventListener("input", () => {
    if (follows) field.value = slugOf(company.value);
  });
}
