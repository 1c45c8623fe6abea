/** Reasons in a receipt that something else than people looks for. */

/** Of a path that is left out: what was captured of it at first is hidden again. */
export const BECAME_LEFT_OUT = 'it became so while it was captured';

/** Of a path that is not in the image: nothing is wrong with it, it just never stood still. */
export const MOVING = 'it came, or became something else, while it was captured';

/** Of a path that did not move, before what tar said: with this beginning a reason is one of content that is missing. */
export const READ_IN_PART = 'Read error, for it is as it was';

/** Of a path that changed, and whose new state did not come: the image has an older one. Before the reason. */
export const STALE = 'Read error: a newer state was asked for and did not come';

/** Of a path that is in the image, and that the last look did not find any more. */
export const GONE = 'gone since';

/** Of a path that is in the image as the type that it was. */
export const OTHER_NOW = 'it became something else since';

/** Of a path that was seen before, and that is perhaps still there. */
export const NOT_SEEN_AGAIN = 'find could not look at it again';
