/** The superuser and the database of the embedded TimescaleDB. */
export const USER = "footfall";
export const DATABASE = "footfall";
