    -- Items of orders, each order once, less those of its refunds. Prices are in the order's currency: they are converted as
    -- its revenue was, which of a refund is below zero.
    SELECT orders.sign * items.quantity_micros AS quantity_micros, {{value}} AS value,
      CASE
        WHEN orders.order_currency <> (SELECT currency FROM merchants WHERE merchant_id = $1)
        THEN round(items.price_micros::numeric * items.quantity_micros * orders.revenue_micros
          / nullif(orders.order_revenue_micros * 1000000::numeric, 0))
        ELSE orders.sign * round(items.price_micros::numeric * items.quantity_micros / 1000000)
      END AS revenue_micros
    FROM items
    JOIN (
      SELECT merchant_id, ts, event_id, order_currency, order_revenue_micros, revenue_micros,
        CASE WHEN order_kind = 3 THEN -1 ELSE 1 END AS sign
      FROM events
      WHERE merchant_id = $1 AND ts >= {{from}} AND ts < {{to}} AND order_kind IN (1, 3) {{people}}
    ) orders USING (merchant_id, ts, event_id)
    WHERE merchant_id = $1 AND ts >= {{from}} AND ts < {{to}}
