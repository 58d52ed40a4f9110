from odoo.tools import SQL


def sql_row_id(document, place):
    """SQL of an id for row number ``place`` of a document, that no other row has.

    XML-RPC carries 32 bits. The first row takes twice the document's number, the next two eight
    times, the next four 32 times, and so on: bits below the lowest one that is set tell them apart.

    :param document: SQL of a number from 1 on
    :param place: SQL of a number from 1 on, below 2^31
    """
    level = SQL("(32 - position(B'1' IN (%s)::int::bit(32)))", place)
    return SQL(
        """((((((%(document)s)::bigint << %(level)s) + (%(place)s)::bigint
               - (1::bigint << %(level)s)) * 2 + 1)) << %(level)s)""",
        document=document,
        place=place,
        level=level,
    )
