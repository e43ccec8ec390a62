/**
 * ISO 4217, by its maintenance agency's tables A.1 (current) and A.3 (withdrawn) as of 2026-01-01, in the form of
 * https://github.com/datasets/currency-codes (data/codes-all.csv of 2026-02-01, PDDL 1.0: public domain).
 */

/** Money in use. */
const MONEY = `
  AED AFN ALL AMD AOA ARS AUD AWG AZN BAM BBD BDT BHD BIF BMD BND BOB BRL BSD BTN BWP BYN BZD CAD CDF CHF CLP CNY
  COP CRC CUP CVE CZK DJF DKK DOP DZD EGP ERN ETB EUR FJD FKP GBP GEL GHS GIP GMD GNF GTQ GYD HKD HNL HTG HUF IDR
  ILS INR IQD IRR ISK JMD JOD JPY KES KGS KHR KMF KPW KRW KWD KYD KZT LAK LBP LKR LRD LSL LYD MAD MDL MGA MKD MMK
  MNT MOP MRU MUR MVR MWK MXN MYR MZN NAD NGN NIO NOK NPR NZD OMR PAB PEN PGK PHP PKR PLN PYG QAR RON RSD RUB RWF
  SAR SBD SCR SDG SEK SGD SHP SLE SOS SRD SSP STN SVC SYP SZL THB TJS TMT TND TOP TRY TTD TWD TZS UAH UGX USD UYU
  UZS VED VES VND VUV WST XAF XCD XCG XOF XPF YER ZAR ZMW ZWG`;

/** Funds, in which some countries index prices and salaries (Chile's CLF, Uruguay's UYI), and WIR's. */
const FUNDS = "BOV CHE CHW CLF COU MXV USN UYI UYW";

/** Units of account and of bond markets, and precious metals: gold is sold by the ounce. */
const UNITS = "XAD XAG XAU XBA XBB XBC XBD XDR XPD XPT XSU XUA";

/** Codes that are no currency by their own definition. */
const NO_CURRENCY: ReadonlyMap<string, string> = new Map([
  ["XXX", "ISO 4217's code for no currency"],
  ["XTS", "ISO 4217's code for tests"],
]);

/** Withdrawn codes by the last month of their use; where ISO 4217 tells years alone, December of the last. */
const WITHDRAWN_IN: Readonly<Record<string, string>> = {
  "1979-12": "LAJ",
  "1981-12": "ESA GWE ILP MZE RHD",
  "1983-06": "MTP",
  "1984-11": "MLF",
  "1985-05": "LSM",
  "1985-07": "ARP",
  "1986-02": "GNS PES",
  "1986-03": "BRB",
  "1986-06": "GQE",
  "1987-02": "BOP",
  "1987-05": "UGS",
  "1989-02": "BRC",
  "1989-12": "ALK GNE MVQ UYN ZWC",
  "1990-01": "YUD",
  "1990-02": "BUK",
  "1990-03": "BEC BEL BRN LUC LUL",
  "1990-09": "DDM",
  "1990-10": "NIC",
  "1990-12": "ARY BGJ BGK CSJ ILR ISJ PEH ROK SUR UGW VNC",
  "1991-03": "AOK",
  "1991-07": "PEI",
  "1991-09": "YDD",
  "1992-01": "ARA",
  "1993-01": "MXP",
  "1993-03": "BRE CSK UYP",
  "1993-07": "LTT",
  "1994-02": "ZRZ",
  "1994-07": "BRR",
  "1994-12": "ESB LVR",
  "1995-01": "HRD",
  "1995-03": "ZAL",
  "1995-10": "GEK",
  "1995-11": "YUN",
  "1996-09": "UAK",
  "1997-01": "PLZ",
  "1997-05": "GWP",
  "1998-06": "SDP",
  "1998-07": "BAD",
  "1999-01": "XEU",
  "1999-06": "ZRN",
  "1999-11": "XRE",
  "2000-02": "AON AOR",
  "2000-09": "ECS ECV",
  "2001-01": "BYB",
  "2001-04": "TJR",
  "2002-03": "ATS BEF DEM ESP FIM FRF GRD IEP ITL LUF NLG PTE",
  "2002-11": "TPE",
  "2003-01": "AFA",
  "2003-07": "ADP YUM",
  "2003-11": "BGL",
  "2003-12": "SRG",
  "2004-01": "RUR",
  "2004-11": "CHC",
  "2004-12": "MGF",
  "2005-06": "ROL",
  "2005-10": "AYM",
  "2005-12": "AZM TRL",
  "2006-06": "MZM",
  "2006-09": "ZWN",
  "2006-10": "CSD XFO",
  "2007-01": "SIT",
  "2007-06": "GHP",
  "2007-07": "SDD",
  "2008-01": "CYP GHC MTL VEB",
  "2008-08": "ZWD",
  "2009-01": "SKK TMM",
  "2009-06": "ZWR",
  "2011-01": "EEK",
  "2012-12": "ZMK",
  "2013-11": "XFU",
  "2014-01": "LVL",
  "2014-03": "USS",
  "2014-12": "LTL",
  "2017-01": "BYR",
  "2017-12": "MRO STD",
  "2018-08": "VEF",
  "2021-06": "CUC",
  "2023-01": "HRK",
  "2023-12": "SLL",
  "2024-09": "ZWL",
  "2025-03": "ANG",
  "2026-01": "BGN",
};

const CURRENT: ReadonlySet<string> = new Set(`${MONEY} ${FUNDS} ${UNITS}`.trim().split(/\s+/));

const WITHDRAWN: ReadonlyMap<string, string> = new Map(
  Object.entries(WITHDRAWN_IN).flatMap(([month, codes]) =>
    codes.split(" ").map((code): [string, string] => [code, month]),
  ),
);

/** How long a withdrawn currency is taken, months: refunds and late payments are in the money of their order. */
const GRACE_MONTHS = 12;

/** All current codes: money, funds, units of account and metals. */
export const CURRENCY_CODES: readonly string[] = [...CURRENT].sort();

/** Whether a code, in upper case, is one of today's list. */
export function isCurrent(code: string): boolean {
  return CURRENT.has(code);
}

/**
 * Why a code, in upper case, is no currency of an event, to be read before the code; or undefined.
 * @param time of the event, ms since 1970-01-01 UTC.
 */
export function currencyProblem(code: string, time: number): string | undefined {
  if (CURRENT.has(code)) return undefined;
  const month = WITHDRAWN.get(code);
  if (month === undefined) return NO_CURRENCY.get(code) ?? "not an ISO 4217 code";
  const [year, number] = month.split("-").map(Number) as [number, number];
  // Date.UTC counts months from 0: this is the first moment after the last month of grace.
  if (time < Date.UTC(year, number + GRACE_MONTHS)) return undefined;
  return `withdrawn from ISO 4217 in ${month}, taken for events of ${GRACE_MONTHS} months after`;
}
