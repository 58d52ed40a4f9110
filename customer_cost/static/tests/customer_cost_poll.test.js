import { expect, test } from "@odoo/hoot";
import { queryOne } from "@odoo/hoot-dom";
import { advanceTime, animationFrame } from "@odoo/hoot-mock";
import { defineMailModels } from "@mail/../tests/mail_test_helpers";
import {
    contains,
    defineModels,
    fields,
    MockServer,
    models,
    mountView,
    onRpc,
} from "@web/../tests/web_test_helpers";

class Job extends models.Model {
    _name = "job";
    name = fields.Char();
    state = fields.Char();
    _records = [{ id: 1, name: "History", state: "running" }];
}

defineMailModels();
defineModels([Job]);

const ARCH = `
    <form>
        <field name="name"/>
        <field name="state"/>
        <widget name="customer_cost_poll" invisible="state != 'running'"/>
    </form>`;

function mountJob() {
    onRpc("job", "web_read", () => {
        expect.step("read");
    });
    return mountView({ type: "form", resModel: "job", resId: 1, arch: ARCH });
}

test("a running job is read again until it is done", async () => {
    await mountJob();
    expect.verifySteps(["read"]);
    await advanceTime(3000);
    expect.verifySteps(["read"]);
    MockServer.env.job.write([1], { state: "done" });
    await advanceTime(3000);
    await animationFrame();
    expect.verifySteps(["read"]);
    expect(queryOne("[name=state] input").value).toBe("done");
    await advanceTime(9000);
    expect.verifySteps([]);
});

test("what is being typed is not overwritten", async () => {
    await mountJob();
    expect.verifySteps(["read"]);
    await contains("[name=name] input").edit("Typed", { confirm: false });
    await advanceTime(3000);
    expect.verifySteps([]);
    expect("[name=name] input").toHaveValue("Typed");
});
