/* 图文直播 for browsers that cannot read the page: plain ES5, no styles of its own. It comes up by itself where modules
   are unknown or the page's script fails to load or to be read, and by ?old=1. */
(function () {
  'use strict'
  var root = document.getElementById('app')
  var cid = (/^\/live\/([^/]+)/.exec(location.pathname) || [])[1]
  if (!root || !cid) return
  var base = '/api/v1/public/consultations/' + cid
  var started = false
  var began = null
  var view = null
  var form = null
  var notice = null
  /* Who one is can be shown on the page itself only. */
  var IDENTITY = '本场留言需要先验证身份，这个浏览器验证不了。请用新版的浏览器打开本链接，验证后再发。'
  var REFUSED = {
    identity_required: '这条没有发出：' + IDENTITY,
    comments_closed: '留言已截止，可以看答复',
    too_many_comments: '留言已满，这条没有发出，请稍后再试'
  }

  function element(name, text, parent) {
    var made = document.createElement(name)
    if (text) made.appendChild(document.createTextNode(text))
    if (parent) parent.appendChild(made)
    return made
  }

  function two(number) {
    return (number < 10 ? '0' : '') + number
  }

  function clock(ms) {
    var at = new Date((began || 0) + ms)
    return two(at.getHours()) + ':' + two(at.getMinutes())
  }

  function ajax(method, path, sent, done) {
    var request = new XMLHttpRequest()
    request.onreadystatechange = function () {
      if (request.readyState !== 4) return
      var body = null
      try {
        body = JSON.parse(request.responseText)
      } catch (_) { // eslint-disable-line @typescript-eslint/no-unused-vars -- ES5 has no catch without a name
        body = null
      }
      done(request.status, body)
    }
    request.open(method, path, true)
    // A connection that broke without a word is no reason to wait for ever.
    request.timeout = 15000
    if (sent) request.setRequestHeader('Content-Type', 'application/json')
    request.send(sent ? JSON.stringify(sent) : null)
  }

  function get(path, done) {
    ajax('GET', path, null, function (status, body) {
      done(status, status === 200 ? body : null)
    })
  }

  function newKey() {
    var key = ''
    while (key.length < 32) key += Math.random().toString(36).slice(2)
    return key.slice(0, 32)
  }

  /* Where storage is refused it lasts as long as the page. */
  function kept(what, text) {
    try {
      if (text === undefined) return localStorage.getItem('yuanshang.' + what + '.' + cid) || ''
      if (text) localStorage.setItem('yuanshang.' + what + '.' + cid, text)
      else localStorage.removeItem('yuanshang.' + what + '.' + cid)
    } catch (_) { // eslint-disable-line @typescript-eslint/no-unused-vars
      return ''
    }
    return text
  }

  /* Of what was on its way when the page was closed, unless something else was written since; else nothing. */
  function keyOf(text) {
    var sending = kept('sending')
    var key = sending.slice(0, 32)
    return text && sending === key + ' ' + text ? key : ''
  }

  /* The form stays while the rest is drawn anew: nobody loses what they write. What was sent is sent again under the same
     key until the server has it, by the next page when this one was closed. */
  function talk() {
    var field, button, said, key
    form = document.createElement('form')
    form.className = 'boot'
    element('h2', '写留言', form)
    notice = element('p', IDENTITY, form)
    field = element('textarea', '', form)
    field.rows = 3
    field.style.width = '100%'
    field.style.fontSize = '1.125rem'
    field.value = kept('draft')
    key = keyOf(field.value)
    field.setAttribute('aria-label', '留言内容，最多 300 字')
    field.setAttribute('data-testid', 'comment-input')
    field.oninput = function () {
      kept('draft', field.value)
      name('')
    }
    button = element('button', '发送', form)
    button.type = 'submit'
    button.className = 'btn'
    button.setAttribute('data-testid', 'comment-submit')
    button.style.minHeight = '44px'
    button.style.minWidth = '88px'
    said = element('p', '', form)
    said.setAttribute('role', 'status')
    root.appendChild(form)

    function name(now) {
      key = now
      kept('sending', now && now + ' ' + field.value)
    }
    function say(words) {
      said.innerHTML = ''
      said.appendChild(document.createTextNode(words))
    }
    function again(words, seconds) {
      say(words)
      setTimeout(send, seconds * 1000)
    }
    /* Nothing is on its way any more. */
    function over(words) {
      name('')
      say(words)
      button.disabled = field.readOnly = false
    }
    function send() {
      // First the server learns to know this device: then it knows a comment that comes twice.
      get(base + '/comments/mine', function (status, known) {
        if (status === 404) return over('没有找到这场直播，这条没有发出')
        if (!known) return again('网络不稳，联网后自动发出', 5)
        ajax('POST', base + '/comments', { text: field.value, key: key }, function (status, body) {
          var code = body && body.code
          if (status === 202) {
            field.value = kept('draft', '')
            return over('已收到，审核后显示')
          }
          if (code === 'rate_limited') return again('留言发得有点快，稍后自动发出', body.retry_after_s || 10)
          if (code === 'comments_paused') return again('留言暂停中，恢复后自动发出', 15)
          if (!status || status >= 500) return again('网络不稳，联网后自动发出', 5)
          over(REFUSED[code] || '这条没有发出。请修改后再发，最多 300 字')
        })
      })
    }
    function begin() {
      button.disabled = field.readOnly = true
      say('正在发送')
      send()
    }
    form.onsubmit = function () {
      if (!field.value.replace(/\s/g, '') || button.disabled) return false
      name(newKey())
      begin()
      return false
    }
    if (key) begin()
  }

  /* Whether one may write at all; what is written already stays to be seen. */
  function offer(page) {
    var state = page.comments ? page.comments.state : 'open'
    var field = form.getElementsByTagName('textarea')[0]
    form.style.display = (state === 'closed' || state === 'off') && !field.value ? 'none' : ''
    notice.style.display = page.identity && page.identity.required ? '' : 'none'
  }

  function comments(list, place) {
    var i, item, each
    if (!list || !list.items.length) return
    element('h2', '留言', place)
    each = element('ul', '', place)
    for (i = 0; i < list.items.length && i < 20; i++) {
      item = list.items[i]
      element('li', item.nickname + (item.region ? '（' + item.region + '）' : '') + '：' + item.text, each)
    }
  }

  function words(page) {
    if (page.cut) return '直播暂时中断，恢复后会自动显示。'
    if (page.status === 'live') return '直播中'
    if (page.status === 'scheduled') return '直播还没有开始，请稍后回来。'
    if (page.status === 'postponed') return '会议已延期。'
    if (page.status === 'cancelled') return '会议已取消。'
    return '直播已结束。'
  }

  function line(entry) {
    if (entry.kind === 'item') return clock(entry.at_ms) + '　进入议程：' + entry.text
    if (entry.kind === 'caption') return clock(entry.at_ms) + '　' + entry.line + '：' + entry.text
    if (entry.kind === 'promotion') return clock(entry.at_ms) + '　网友留言上会：' + entry.text
    return clock(entry.at_ms) + '　' + entry.text + (entry.line ? '（' + entry.line + '）' : '') + '开始发言'
  }

  function draw(page, text, said) {
    var i, item, list, picture, place
    began = page.started_wall_ms
    place = document.createElement('div')
    place.className = 'boot'
    place.setAttribute('data-testid', 'old-page')
    element('h1', page.title, place)
    element('p', '浏览器版本太旧，放不了直播画面。请用新版的浏览器打开本链接，或换一部手机，链接不变。下面是图文直播。', place)
    element('p', words(page), place).style.fontWeight = 'bold'
    for (i = 0; i < page.agenda.length; i++) {
      item = page.agenda[i]
      if (item.id === page.current_item) element('p', '当前议程：' + item.title, place)
    }
    if (page.speaker) element('p', '正在发言：' + page.speaker.name + '　' + page.speaker.line, place)
    if (text && text.still && !page.cut) {
      picture = element('img', '', place)
      picture.src = text.still.url
      picture.alt = clock(text.still.at_ms) + ' 的画面'
      picture.style.maxWidth = '100%'
      element('p', clock(text.still.at_ms) + ' 的画面', place)
    }
    list = element('ul', '', place)
    for (i = 0; text && i < text.items.length; i++) if (text.items[i].kind !== 'still') element('li', line(text.items[i]), list)
    comments(said, place)
    if (!form) {
      root.innerHTML = ''
      talk()
    }
    if (view) root.removeChild(view)
    view = root.insertBefore(place, form)
    offer(page)
    document.title = page.title + ' · 图文直播'
  }

  function ask() {
    get(base, function (status, page) {
      if (page) {
        get(base + '/text', function (_status, text) {
          get(base + '/comments', function (_same, said) {
            draw(page, text, said)
          })
        })
      } else if (status === 404) {
        root.innerHTML = ''
        view = form = null
        element('p', '没有找到这场直播。它可能不对外公开，或者链接不完整，请向会务组核对链接。', root).className = 'boot'
      }
      setTimeout(ask, 10000 + Math.random() * 2000)
    })
  }

  function start() {
    if (started || root.hasAttribute('data-v-app')) return
    started = true
    ask()
  }

  if (!('noModule' in document.createElement('script')) || /[?&]old=1/.test(location.search)) start()
  window.addEventListener('error', function (event) {
    var from = event.target && event.target.tagName === 'SCRIPT'
    if (from || (event.filename && event.filename.indexOf('/assets/') >= 0)) start()
  }, true)
})()
