// Takes the token out of the address and sends the form. The page works without it.
"use strict";
(() => {
  const token = document.getElementById("token");
  const enter = () => {
    const secret = location.hash.slice(1);
    if (!secret) return;
    history.replaceState(null, "", location.pathname + location.search); // keeps the token out of the history
    token.value = secret;
    token.form.requestSubmit();
  };
  // A URL that differs from the page's only behind `#` loads no page.
  addEventListener("hashchange", enter);
  enter();
})();
