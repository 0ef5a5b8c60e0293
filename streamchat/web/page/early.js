// Before anything is drawn: the theme that was chosen here, so that the page does not flash in the other one.

try {
  const theme = localStorage.getItem("streamchat.theme");
  if (theme === "light" || theme === "dark") document.documentElement.dataset.theme = theme;
} catch {
  // forbidden here: the theme is the system's
}
