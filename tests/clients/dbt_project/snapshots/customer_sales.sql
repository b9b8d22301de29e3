{% snapshot customer_sales %}
{{ config(unique_key='customer_id', strategy='check', check_cols=['orders'], table_type='iceberg') }}
SELECT customer_id, orders FROM {{ ref('merged') }}
{% endsnapshot %}
