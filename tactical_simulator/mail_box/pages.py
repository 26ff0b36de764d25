"""What the box took, for a browser; and what stands in for the web interface of Tactical."""

from __future__ import annotations

from flask import Flask, abort, render_template_string

from tactical_simulator.mail_box.box import Box

_PAGE = """<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width">
<title>{{ mail.message.subject if mail else "Mail box of the demo" }}</title>
<style>
  :root { color-scheme: light dark; }
  body { font: 16px/1.5 system-ui, sans-serif; max-width: 48rem; margin: 2rem auto; }
  body { padding: 0 1rem; }
  h1 { font-size: 1.3rem; }
  ul { list-style: none; padding: 0; }
  li { margin: .3rem 0; overflow-wrap: anywhere; }
  .thread { border-top: 1px solid #8886; padding: .4rem 0; }
  .thread li + li { padding-left: 1.5rem; }
  time { color: GrayText; font-size: .85rem; margin-left: .5rem; white-space: nowrap; }
  iframe { width: 100%; height: 36rem; border: 1px solid #8886; background: Canvas; }
  pre { white-space: pre-wrap; overflow-wrap: anywhere; }
</style>
</head>
<body>
{% if mail %}
<p><a href="/">All mails</a></p>
<h1>{{ mail.message["Subject"] }}</h1>
<p>From {{ mail.message["From"] }} to {{ mail.message["To"] }}{{ at(mail) }}</p>
{# Its scripts do not run, and its links open beside this page. #}
<iframe title="The mail" sandbox="allow-popups allow-popups-to-escape-sandbox"
  srcdoc="{{ '<base target=_blank>' ~ mail.read('html') }}"></iframe>
<details><summary>As plain text</summary><pre>{{ mail.read("plain") }}</pre></details>
{% else %}
<h1>Mail box of the demo</h1>
<p>The mails that the demo's portal sent since it was started. They went nowhere else.</p>
{% for mails in threads %}
<ul class="thread">
{% for each in mails %}
<li><a href="/{{ each.number }}">{{ each.message["Subject"] }}</a>{{ at(each) }}</li>
{% endfor %}
</ul>
{% else %}
<p>None yet. Send a test from the page of the channel “Mail box”, or wait for an alert.</p>
{% endfor %}
{% endif %}
</body>
</html>
"""
_NO_INTERFACE = """<!doctype html>
<html lang="en">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width">
<title>Tactical's web interface</title>
<style>
  :root { color-scheme: light dark; }
  body { font: 16px/1.5 system-ui, sans-serif; max-width: 36rem; margin: 2rem auto; }
  body { padding: 0 1rem; }
  h1 { font-size: 1.3rem; }
  code { overflow-wrap: anywhere; }
</style>
<h1>Tactical's web interface</h1>
<p>{{ what }} of the agent <code>{{ agent_id }}</code>.
The demo has a simulated server without pages; with a real one, its own page opens here.</p>
</html>
"""
_TIME = (
    """{% macro at(mail) %}<time>{{ mail.came_at.strftime("%H:%M:%S UTC") }}</time>{% endmacro %}"""
)


def create_pages(box: Box) -> Flask:
    app = Flask(__name__)

    @app.get("/")
    def index() -> str:
        return render_template_string(_TIME + _PAGE, threads=box.list_threads(), mail=None)

    @app.get("/<int:number>")
    def show(number: int) -> str:
        mail = box.find(number)
        if mail is None:
            abort(404, "This mail is not here any more.")
        return render_template_string(_TIME + _PAGE, threads=[], mail=mail)

    @app.get("/agents/<agent_id>")
    def agent(agent_id: str) -> str:
        return render_template_string(_NO_INTERFACE, what="The page", agent_id=agent_id)

    @app.get("/takecontrol/<agent_id>")
    def take_control(agent_id: str) -> str:
        return render_template_string(_NO_INTERFACE, what="The screen", agent_id=agent_id)

    return app
