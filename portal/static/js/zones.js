// Forms that mean a time on the clock of whoever presses learn where that is; and a new maintenance
// window is most likely meant by the clocks where its author is.

const select = document.querySelector("select[data-likely-zone]");
const likely = Intl.DateTimeFormat().resolvedOptions().timeZone;

document.addEventListener(
  "click",
  () => {
    for (const input of document.querySelectorAll("[data-own-zone]")) input.value = likely;
  },
  true,
);

const option = select && [...select.options].find((each) => each.value === likely);
if (option && select.value === "UTC") {
  select.prepend(option);
  option.selected = true;
  for (const input of select.form.querySelectorAll("input[type=datetime-local]")) {
    const moment = new Date(`${input.value}Z`);
    moment.setMinutes(moment.getMinutes() - moment.getTimezoneOffset());
    input.value = moment.toISOString().slice(0, 16);
  }
}
