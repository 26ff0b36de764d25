import "./dialogs.js";
import "./menus.js";
import "./narrow.js";
import "./palette.js";
import "./picker.js";
import "./selection.js";
import "./shortcuts.js";
import "./times.js";
import "./clipboard.js";
import "./passkeys.js";
import "./links.js";
import "./zones.js";
import { watchSession } from "./session.js";
import { connectToasts } from "./toasts.js";
import { connectHtmx } from "./requests.js";

connectToasts();
connectHtmx();
watchSession();
