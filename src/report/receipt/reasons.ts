/** Reasons in a receipt that something else than people looks for. */

/** Of a path that is left out: what was captured of it at first is hidden again. */
export const BECAME_LEFT_OUT = 'it became so while it was captured';

/** Of a path that is not in the image: nothing is wrong with it, it just never stood still. */
export const MOVING = 'it came, or became something else, while it was captured';

/** Of a path that did not move, before what tar said: with this beginning a reason is one of content that is missing. */
export const READ_IN_PART = 'Read error, for it is as it was';
