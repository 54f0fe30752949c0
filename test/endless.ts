/** Milliseconds after which a test counts as hanging. What work costs is measured in test/bench. */
export const ENDLESS = 120_000;
