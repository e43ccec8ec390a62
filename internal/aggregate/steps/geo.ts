import { deriveOnce } from "./spread.ts";
import type { Step } from "./step.ts";

/** Country, region and city, from the address; region and city only where the database has them. */
export const geo: Step = {
  name: "geo",
  version: 1,
  run(batch, { place }, { placeOf }) {
    deriveOnce(batch, batch.text("ip"), place, (address) => {
      const found = placeOf(address);
      return found && [found.country, found.region, found.city];
    });
  },
};
