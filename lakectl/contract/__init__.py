"""What AWS answers, row by row: the table that the local AWS is tested against, and that an account can be asked.

:mod:`~lakectl.contract.table` says what a row is, ``rows_*`` hold them, :mod:`~lakectl.contract.asking` makes a row's
calls and deletes what they made, :mod:`~lakectl.contract.recordings` keeps what an account answered.
"""
