"""Run one statement: `sql.py DATABASE STATEMENT [PARAMETER ...]` prints the rows as JSON.

Started with the environment's interpreter, because only that one has a PostgreSQL driver.
"""

import json
import sys

import psycopg2


def main():
    database, statement, *parameters = sys.argv[1:]
    try:
        connection = psycopg2.connect(dbname=database)
        connection.autocommit = True
        with connection.cursor() as cr:
            cr.execute(statement, parameters or None)
            print(json.dumps(cr.fetchall() if cr.description else []))
    except psycopg2.Error as error:
        sys.exit(" ".join(str(error).split()))


main()
