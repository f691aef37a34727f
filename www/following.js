/** Brings what has just come in into view, where its answers are about to appear, and keeps it there until somebody scrolls. */

/** @param {() => Element | null} newest what is to be seen */
export function follow(newest) {
  /** What was brought into view, and how far the page was scrolled then. @type {{ card: Element, y: number } | null} */
  let followed = null;

  /** @param {Element} card */
  const goTo = (card) => {
    card.scrollIntoView({ block: 'start' });
    followed = { card, y: scrollY };
  };

  return {
    /** Something new has come in; where all of it is to be seen, nothing is scrolled. */
    begin() {
      const card = newest();
      const box = card?.getBoundingClientRect();
      if (!card || !box || (box.top >= 0 && box.bottom <= innerHeight)) return;
      // Once the page has stepped back for its first picture.
      requestAnimationFrame(() => requestAnimationFrame(() => goTo(card)));
    },

    /** Stays with it while what stands above it comes and goes. */
    keepUp() {
      if (!followed) return;
      const { card, y } = followed;
      if (card !== newest() || Math.abs(scrollY - y) > 1) followed = null;
      else if (Math.abs(card.getBoundingClientRect().top) > 1) goTo(card);
    },
  };
}
