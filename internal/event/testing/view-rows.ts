import type { BatchView } from "../batch-view.ts";
import { formatId } from "../event-id.ts";
import { type PlainItem, type PlainOrder, type PlainRow, present } from "./plain-row.ts";

const TEXTS = ["name", "visitorId", "sessionId", "url", "referrer", "userAgent", "ip", "language"] as const;

/** Every value of a batch, read through BatchView. */
export function viewRows(view: BatchView): PlainRow[] {
  return Array.from({ length: view.rows }, (_, row) => {
    const properties = positions(view.property("row"), row).map((at) => [
      textAt(view, view.property("key"), at),
      textAt(view, view.property("value"), at),
    ]);
    const orders = positions(view.order("row"), row).map((at) => viewOrder(view, at));
    const items = positions(view.item("row"), row).map((at) => viewItem(view, at));
    return present<PlainRow>(
      {
        merchantId: view.merchantIds[row]!,
        eventId: formatId(view.ids.bytes, 16 * row),
        receivedTime: view.receivedTime.get(row),
        clientTime: view.clientTime.get(row),
        ...Object.fromEntries(TEXTS.map((name) => [name, textAt(view, view.text(name), row)])),
        screenWidth: view.screenWidth?.[row],
        screenHeight: view.screenHeight?.[row],
        properties: properties.length === 0 ? undefined : Object.fromEntries(properties),
        order: orders[0],
        items: items.length === 0 ? undefined : items,
      },
      "receivedTime",
      "clientTime",
    );
  });
}

function viewOrder(view: BatchView, at: number): PlainOrder {
  return present(
    {
      id: textAt(view, view.order("id"), at),
      revenueMicros: view.orderMicros("revenueMicros")?.get(at),
      taxMicros: view.orderMicros("taxMicros")?.get(at),
      shippingMicros: view.orderMicros("shippingMicros")?.get(at),
      discountMicros: view.orderMicros("discountMicros")?.get(at),
      currency: textAt(view, view.order("currency"), at),
      coupon: textAt(view, view.order("coupon"), at),
      isRefund: view.order("isRefund")?.[at],
      refundId: textAt(view, view.order("refundId"), at),
    },
    "revenueMicros",
  );
}

function viewItem(view: BatchView, at: number): PlainItem {
  return present(
    {
      id: textAt(view, view.item("id"), at),
      name: textAt(view, view.item("name"), at),
      brand: textAt(view, view.item("brand"), at),
      category: textAt(view, view.item("category"), at),
      variant: textAt(view, view.item("variant"), at),
      priceMicros: view.itemMicros("priceMicros")?.get(at),
      quantityMicros: view.itemMicros("quantityMicros")?.get(at),
    },
    "priceMicros",
  );
}

function textAt(view: BatchView, column: Uint32Array | undefined, at: number): string {
  return view.dictionary.text(column?.[at] ?? 0) ?? "";
}

function positions(rows: Uint32Array | undefined, row: number): number[] {
  return [...(rows ?? [])].flatMap((value, at) => (value === row ? [at] : []));
}
