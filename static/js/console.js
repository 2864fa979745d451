// The one script that pages link, htmx aside: each part listens for what is its own.

import "./failures.js";
import "./polling.js";
import "./dialog.js";
import "./errors.js";
import "./assignment.js";
import "./needed.js";
import "./drop.js";
import "./regions.js";
import "./keeping.js";
import "./stale.js";
import "./twice.js";
import "./secrets.js";
import "./searches.js";
import "./menu.js";
import "./tooltips.js";
import "./copy.js";
import "./leaving.js";
import "./toasts.js";
