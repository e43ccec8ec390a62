    -- Items of orders, each order once. Prices are in the order's currency: they are converted as its revenue was.
    SELECT items.quantity, {{value}} AS value,
      CASE
        WHEN orders.order_currency <> (SELECT currency FROM merchants WHERE merchant_id = $1)
        THEN round(items.price_micros::numeric * items.quantity
          * orders.revenue_micros / nullif(orders.order_revenue_micros, 0))
        ELSE items.price_micros::numeric * items.quantity
      END AS revenue_micros
    FROM items
    JOIN (
      SELECT merchant_id, ts, event_id, order_currency, order_revenue_micros, revenue_micros
      FROM events
      WHERE merchant_id = $1 AND ts >= {{from}} AND ts < {{to}} AND order_kind = 1 {{people}}
    ) orders USING (merchant_id, ts, event_id)
    WHERE merchant_id = $1 AND ts >= {{from}} AND ts < {{to}}
