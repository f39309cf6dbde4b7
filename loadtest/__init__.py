"""Load on the gateway: many FIX clients on gevent (locust), a plain probe that times, storms, shapes, results as files.

Imports of gevent and locust stay here. Everything is bounded in time, speaks to loopback only, and ends by itself.
"""
