/** Steps that type a label in a many2one field and pick what is offered. */
export function pick(field, label) {
    return [
        {
            content: `Type ${label}`,
            trigger: `.o_field_widget[name=${field}] input`,
            run: `edit ${label}`,
        },
        {
            content: `Pick ${label}`,
            trigger: `.ui-menu-item a:contains("${label}")`,
            run: "click",
        },
    ];
}
