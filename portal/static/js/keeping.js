// Where a part of a page reads itself again (hx-swap="morph:…"), what somebody has open, half typed,
// chosen or ticked stays as they left it: an open menu, the list of a picker, a field that no longer
// says what the server put into it. What is folded up elsewhere stays unfolded.

const CLOSED_BY_READER =
  "details.menu[open], [data-picker]:focus-within, .is-open:has([data-picker]:focus-within)";

function isChanged(field) {
  if (field.matches("[type=checkbox], [type=radio]")) return field.checked !== field.defaultChecked;
  if (field.matches("input, textarea")) return field.value !== field.defaultValue;
  return [...field.options].some((one) => one.selected && !one.defaultSelected && one.index > 0);
}

function isInUse(node) {
  if (!(node instanceof Element)) return false;
  if (node.matches("input, textarea, select")) return isChanged(node);
  return node.matches(CLOSED_BY_READER);
}

const { callbacks } = window.Idiomorph.defaults;
callbacks.beforeNodeMorphed = (node) => !isInUse(node);
callbacks.beforeAttributeUpdated = (name, node) => !(name === "open" && node.open);
