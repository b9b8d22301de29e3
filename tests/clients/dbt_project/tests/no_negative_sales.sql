SELECT * FROM {{ ref('sales_by_region') }} WHERE sales < 0
