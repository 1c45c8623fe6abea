/** Titles of the stages that only look; `Connect` is not among those of a pipeline, for it may ask for a password. */

export const FIND_FILESYSTEMS = 'Find the mounted filesystems';
export const RECOGNISE = 'Recognise the applications';
export const LIST_FILES = 'List the files';
export const AUDIT_DUPLICATES = 'Audit duplicates';
export const APPLY_RULES = 'Apply the rules';

/** Of a migration, until anything is stopped. */
export const SURVEY_STAGES = [FIND_FILESYSTEMS, RECOGNISE, LIST_FILES, AUDIT_DUPLICATES, APPLY_RULES] as const;

/** Of an audit: it judges the files while it lists them. */
export const AUDIT_STAGES = [FIND_FILESYSTEMS, RECOGNISE, LIST_FILES] as const;
