// The one script that the administration's pages link beside Django's own.

import "./admin.js";
import "./admin-names.js";
import "./admin-rows.js";
