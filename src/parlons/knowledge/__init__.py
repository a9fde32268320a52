"""Knowledge: documents become passages, passages an index, and questions find them. Knows no call and no agent.

Reading and indexing are done by processes of their own, of low priority and with limits: neither a hostile file nor a
long one can disturb calls. Only searching happens in the process of the calls, on LanceDB's own threads.
"""
