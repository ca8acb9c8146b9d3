"""The review pages: what the software decided can be seen, moved, rejected and signed, in the browser.

Comes in: a study folder, and what a person does on the pages. Goes out: lines of decisions, which the next
run uses. Read `server` (who may ask), `workbench` (what is measured, with what a person tries out), then one
module a page.
"""
