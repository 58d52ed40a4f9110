import { createRequire } from "node:module";
import path from "node:path";
import process from "node:process";

// The packages live below .dev, where `make lint` installs them.
const require = createRequire(path.join(process.env.LINT_MODULES ?? process.cwd(), "package.json"));
const js = require("@eslint/js");
const globals = require("globals");

export default [
    { ignores: [".dev/**", "**/static/lib/**"] },
    js.configs.recommended,
    {
        files: ["**/*.js", "**/*.mjs"],
        languageOptions: {
            ecmaVersion: 2024,
            sourceType: "module",
            globals: { ...globals.browser, odoo: "readonly", luxon: "readonly", Chart: "readonly" },
        },
        rules: {
            eqeqeq: ["error", "always", { null: "ignore" }],
            "no-console": "error",
            "no-shadow": "error",
            "no-unused-vars": ["error", { args: "after-used", argsIgnorePattern: "^_" }],
            "no-var": "error",
            "object-shorthand": "error",
            "prefer-const": "error",
        },
    },
];
