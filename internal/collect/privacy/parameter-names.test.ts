import { expect, test } from "vitest";
import { isPersonalKey } from "./parameter-names.ts";

test.each(
  `email E-Mail billing_email customer.email user[email] contactEmailAddress phone mobilePhone telephone firstName
  lastname user_name password access_token api-key client_secret iban ssn card_number creditCard cvv street dob
  birthday auth sig`.split(/\s+/),
)("the value of a property %s is personal", (key) => {
  expect(isPersonalKey(key)).toBe(true);
});

test.each(
  `name code key session login pin pass mobile user_id size color product_name emailed phones iphone headphone tokens
  list keyword filename sign author admission`.split(/\s+/),
)("the value of a property %s stays", (key) => {
  expect(isPersonalKey(key)).toBe(false);
});

test("a key of any length, script and character is one", () => {
  expect(isPersonalKey("")).toBe(false);
  expect(isPersonalKey(`${"x_".repeat(10_000)}email`)).toBe(true);
  expect(isPersonalKey("e\u0301mail\u{1f6cd}")).toBe(false);
  expect(isPersonalKey("-".repeat(300))).toBe(false);
});
