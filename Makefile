.DEFAULT_GOAL := help
.PHONY: help demo stop test lint bench replica acceptance shell i18n screenshots clean
dev := @dev/python.sh

help: ## list the targets
	@awk -F ':.*## ' '/^[a-z0-9]+:.*## / {printf "  make %-12s %s\n", $$1, $$2}' Makefile

demo: ## Odoo with the add-on and a demo company in the browser (PORT=, HOST=; PDF=1 adds wkhtmltopdf)
	$(dev) demo

stop: ## stop the demo server and the private PostgreSQL
	$(dev) stop

test: ## the whole suite; T=file, T=test_file::Class::test or T=Class.test for a part of it (TESTDB=, COVERAGE=1)
	$(dev) test

lint: ## ruff, pylint-odoo, prettier and eslint
	$(dev) lint

bench: ## the measurements of benchmarks/run.py
	$(dev) script benchmarks/run.py $(ARGS)

replica: ## the report routes of the demo, answered by a streaming replica (DB=, PORT=)
	$(dev) script benchmarks/replica.py

acceptance: ## the published examples of acceptance/run.py
	$(dev) script acceptance/run.py $(ARGS)

shell: ## a Python shell on the demo database, or on DB=
	@bin/odoo shell -d $(or $(DB),demo) --no-http

i18n: ## bring the translation templates and translations up to date
	$(dev) i18n

screenshots: ## take the pictures of the documentation from the running demo
	$(dev) screenshots $(ARGS)

clean: ## stop everything and delete .dev and the private PostgreSQL
	$(dev) clean
